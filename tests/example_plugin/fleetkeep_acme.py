"""Acme MDM: a connector in a package of its own."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from connectors import kit
from connectors.kit import (
    Api,
    Connector,
    DeviceRecord,
    Gap,
    Page,
    Permission,
    Rejected,
    Surroundings,
    rows,
    wire,
)

READ = "Devices: read"


class AcmeSettings(kit.SourceSettings):
    url: Annotated[str, AfterValidator(kit.origin_url)]
    api_key: SecretStr


def walk(settings: AcmeSettings, around: Surroundings) -> Iterator[Page]:
    with opened(settings, around) as api:
        for page in kit.pages.by_offset(lambda start: devices(api, start), len):
            yield Page(rows=[read(row, f"device {place}") for place, row in enumerate(page)])


def devices(api: Api, start: int) -> list[object]:
    params = [("offset", start)]
    return api.get("/devices", lambda answer: rows.rows(kit.anything(answer)), params=params, permission=READ)


def read(row: object, where: str) -> DeviceRecord | Rejected:
    native_id = wire.text(rows.field(row, "id"))
    if isinstance(native_id, Gap):
        return Rejected(where, "no id")
    model = wire.text(rows.field(row, "model"))
    return DeviceRecord(
        native_id=native_id,
        serial=wire.text(rows.field(row, "serial")),
        model_identifier=model,
        platform=wire.platform_of_model(model),
        os_version=wire.text(rows.field(row, "os")),
        backup_enabled=wire.flag(rows.field(row, "backup")),
        last_cloud_backup_at=wire.or_never(wire.instant(rows.field(row, "backed_up_at"))),
        inventory_at=wire.instant(rows.field(row, "seen_at")),
    )


def probe(settings: AcmeSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    with opened(settings, around) as api:
        yield kit.tried(READ, lambda: devices(api, 0))


def opened(settings: AcmeSettings, around: Surroundings) -> Api:
    key = kit.FixedHeaders({"Authorization": f"Bearer {settings.api_key.get_secret_value()}"})
    return kit.open_api(settings, settings.url, around, key)


SIGNALS = "serial model_identifier platform os_version backup_enabled last_cloud_backup_at inventory_at"
CONNECTOR = Connector(
    kind="acme",
    title="Acme MDM",
    settings=AcmeSettings,
    provides=frozenset(SIGNALS.split()),
    permissions=(Permission(READ, "everything", "Admin > API keys"),),
    walk=walk,
    probe=probe,
    example='url = "https://acme.example"\napi_key = { env = "ACME_KEY" }\n',
    confirmed="invented",
)
