"""What slots decide, and how anyone checks it: genesis, agendas, certificates."""
