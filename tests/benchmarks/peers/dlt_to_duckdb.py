"""Peer: dlt, its REST source to DuckDB, merged by id. Runs in a virtual environment of its own.

python dlt_to_duckdb.py URL SECRET FOLDER
"""

import sys
from pathlib import Path

import dlt
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.rest_api import rest_api_source

SECTIONS = ["GENERAL", "HARDWARE", "USER_AND_LOCATION", "SECURITY", "NETWORK", "GROUPS"]


def main(url: str, secret: str, folder: Path) -> None:
    """Every device as rows of tables that dlt makes of the answers."""
    login = OAuth2ClientCredentials(
        access_token_url=f"{url}/api/v1/oauth/token", client_id="reader", client_secret=secret
    )
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{url}/api/",
                "auth": login,
                "paginator": {"type": "page_number", "base_page": 0, "total_path": None},
            },
            "resources": [
                {
                    "name": "devices",
                    "primary_key": "mobileDeviceId",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "v2/mobile-devices/detail",
                        "params": {"section": SECTIONS, "page-size": 1000},
                        "data_selector": "results",
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        pipeline_name="benchmark",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "devices.duckdb")),
        dataset_name="jamf",
    )
    pipeline.run(source).raise_on_failed_jobs()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
