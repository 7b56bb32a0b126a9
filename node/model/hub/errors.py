"""What can go wrong with a download, as a person should read it.

HubError
├── HubNameInvalid   what was asked for cannot be the name of a file there
├── HubFileMissing   no such file, revision or repository
├── HubForbidden     not without permission
├── HubFileInvalid   what came is not what was announced, or no model
├── HubNoRoom        the disk
└── HubUnreachable   the network, a busy server, or another process that is at it already
"""

from node.errors import Exit, NodeError


class HubError(NodeError):
    """The model was not downloaded."""


class HubNameInvalid(HubError):
    """The text names no file of a hub, or the environment no hub."""

    exit_code = Exit.SETTINGS


class HubFileMissing(HubError):
    """The hub has no such file."""

    exit_code = Exit.MODEL_MISSING


class HubForbidden(HubError):
    """The hub gives the file only to some."""

    exit_code = Exit.MODEL_FORBIDDEN


class HubFileInvalid(HubError):
    """The file is not what the hub said it was, or not a model. It was deleted."""

    exit_code = Exit.MODEL_INVALID


class HubNoRoom(HubError):
    """The file does not fit on the disk, or the disk takes no writes."""

    exit_code = Exit.STORE_FULL


class HubUnreachable(HubError):
    """The download did not come to its end now; what came is kept, and the next try goes on from there."""

    exit_code = Exit.MODEL_NOT_FETCHED
