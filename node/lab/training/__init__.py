"""How the reference models are made: network, data, schedule, export, measurement, card. Needs the extra `train`."""
