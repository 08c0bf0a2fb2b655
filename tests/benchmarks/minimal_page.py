"""The least page that could show a fleet: rows as JSON, compressed, and a list that draws what is in sight.

It can search and nothing else. What the report costs beyond it is the price of all the rest.
"""

from __future__ import annotations

import base64
import gzip
import json
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.model.fact import known
from reports._plain import zulu

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fleet.model.device_report import DeviceReport

PAGE = """<!doctype html><meta charset="utf-8"><title>Minimal</title>
<style>.window{height:600px;overflow:auto}.tall{position:relative}.row{position:absolute;height:24px}</style>
<input role="searchbox"><p class="count"></p><div class="window"><div class="tall"></div></div>
<script type="application/octet-stream" id="fleet">%s</script>
<script type="module">
const packed = Uint8Array.from(atob(document.getElementById("fleet").textContent), (c) => c.charCodeAt(0));
const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const rows = JSON.parse(await new Response(stream).text());
const texts = rows.map((row) => row.join(" ").toLowerCase());
const [box, count, frame, tall] = ["input", ".count", ".window", ".tall"].map((one) => document.querySelector(one));
let shown = rows;
function draw() {
  const height = Math.min(8e6, shown.length * 24), last = Math.max(0, shown.length - 25);
  tall.style.height = `${height}px`;
  const first = Math.round(frame.scrollTop / Math.max(1, height - 600) * last);
  tall.replaceChildren(...shown.slice(first, first + 25).map((row, place) => {
    const line = document.createElement("div");
    line.className = "row";
    line.style.top = `${frame.scrollTop + place * 24}px`;
    line.textContent = row.join("  ");
    return line;
  }));
  count.textContent = `${shown.length}`;
}
box.oninput = () => {
  const word = box.value.toLowerCase();
  shown = rows.filter((_, place) => texts[place].includes(word));
  draw();
};
frame.onscroll = draw;
draw();
performance.mark("usable");
</script>"""
_SHOWN = ("name", "serial", "model_name", "os_version", "user_name", "user_email", "site")


def write(path: Path, reports: Iterable[DeviceReport]) -> None:
    """The page of these devices."""
    rows = [_row(report) for report in reports]
    packed = gzip.compress(json.dumps(rows, separators=(",", ":")).encode(), 6, mtime=0)
    path.write_text(PAGE % base64.b64encode(packed).decode(), encoding="utf-8")


def _row(report: DeviceReport) -> list[str | None]:
    device = report.device
    backup = known(device.last_cloud_backup_at)
    return [
        report.status,
        report.severity,
        report.cause,
        *(known(getattr(device, name)) for name in _SHOWN),
        zulu(backup) if isinstance(backup, datetime) else backup and backup.value,
    ]
