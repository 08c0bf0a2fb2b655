"""What a serial number or UDID is worth as an identity: how two spellings compare, and what stands for none.

Sources write the same number in either case, some with blanks or hyphens. And where there is none, some leave it
empty while others write a word or a row of zeros, the same one for every such device: whoever took that for an
identity would make one device of a hundred strangers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.fact import Gap

if TYPE_CHECKING:
    from fleet.model.fact import Fact

LONGEST = 128
"""Apple's serial numbers have up to 14 characters, its UDIDs up to 40; what is longer than this is neither."""


def identity(fact: Fact[str]) -> str | None:
    """The letters and digits of a serial number or UDID, in upper case; None where it names no single device.

    >>> identity(" 00008110-000a1b2c3d4e5f60 ")
    '00008110000A1B2C3D4E5F60'
    >>> identity("N/A") is None
    True
    """
    if isinstance(fact, Gap):
        return None
    bare = fact.replace("-", "")
    if not bare.isalnum():
        bare = "".join(char for char in bare if char.isalnum())
    bare = bare.upper()
    if len(bare) > LONGEST or bare in _WORDS or not bare.strip(bare[:1]):
        return None
    return bare


_WORDS = frozenset(
    # Of exports, databases and forms; the last two rows are the firmware's, before anybody has set a number.
    """
    blank empty error hidden invalid missing na nil nodata none noserial noserialnumber notapplicable notavailable
    notfound notknown notprovided notreported notset notspecified null pending redacted serial serialnumber string
    tbd udid unassigned unavailable undefined unidentified unknown unknownserial unspecified uuid
    default defaultstring oem systemserialnumber tobefilledbyoem
    0123456789 123456789 1234567890
    """.upper().split()
)
