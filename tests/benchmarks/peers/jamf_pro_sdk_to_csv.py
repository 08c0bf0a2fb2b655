"""Peer: the Jamf Pro SDK for Python, its models to a CSV. Runs in a virtual environment of its own.

python jamf_pro_sdk_to_csv.py URL SECRET FOLDER
"""

import csv
import sys
from pathlib import Path
from urllib.parse import urlsplit

from jamf_pro_sdk import ApiClientCredentialsProvider, JamfProClient, SessionConfig

SECTIONS = ["GENERAL", "HARDWARE", "USER_AND_LOCATION", "SECURITY", "NETWORK"]
PARTS = ("general", "hardware", "userAndLocation")


def main(url: str, secret: str, folder: Path) -> None:
    """Every device as one line: the fields of three sections."""
    place = urlsplit(url)
    client = JamfProClient(
        server=place.hostname,
        port=place.port,
        credentials=ApiClientCredentialsProvider("reader", secret),
        session_config=SessionConfig(scheme="http"),
    )
    pages = client.pro_api.get_mobile_device_inventory_v2(
        sections=SECTIONS, page_size=1000, return_generator=True
    )
    with (folder / "devices.csv").open("w", encoding="utf-8", newline="") as file:
        out = None
        for page in pages:
            for device in page.results:
                row = {"id": device.mobileDeviceId}
                for part in PARTS:
                    row |= {f"{part}.{name}": value for name, value in getattr(device, part)}
                if out is None:
                    out = csv.DictWriter(file, list(row), extrasaction="ignore")
                    out.writeheader()
                out.writerow(row)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
