// Taking devices along: serial numbers for an MDM's bulk action, and the shown rows as a CSV file like devices.csv.

const RISKY = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}]*[=+\-@＝＋－＠]|^[\t\r\n\0]/u;
const FLAGS = { yes: "true", no: "false" };

/** The columns of devices.csv; `theirs` holds other people's text, which a spreadsheet must not run as a formula. */
const CSV = {
  key: (fleet, row) => fleet.devices.key.at(row),
  serial: theirs((fleet, row) => fleet.text("serial", row)),
  name: theirs((fleet, row) => fleet.text("name", row)),
  status: (fleet, row) => fleet.devices.status.at(row),
  reason: (fleet, row) => fleet.devices.reason.at(row),
  severity: (fleet, row) => fleet.devices.severity.at(row),
  cause: (fleet, row) => fleet.devices.cause.at(row),
  model: theirs((fleet, row) => fleet.model(row)),
  os_version: theirs((fleet, row) => fleet.text("os_version", row)),
  user_name: theirs((fleet, row) => fleet.text("user_name", row)),
  user_email: theirs((fleet, row) => fleet.text("user_email", row)),
  department: theirs((fleet, row) => fleet.text("department", row)),
  site: theirs((fleet, row) => fleet.text("site", row)),
  groups: theirs((fleet, row) => fleet.devices.fact_groups.list(row).join("; ")),
  sources: theirs((fleet, row) => fleet.sources(row).join("; ")),
  backup_enabled: (fleet, row) => FLAGS[fleet.text("backup_enabled", row)] ?? "",
  last_cloud_backup_at: (fleet, row) => stamp(fleet.lastBackup(row)),
  free_percent: (fleet, row) => fleet.freePercent(row)?.toFixed(1) ?? "",
  observed_at: (fleet, row) => stamp(fleet.devices.observed[row]),
  findings: (fleet, row) => fleet.standing(row).map((each) => fleet.findings.check.at(each)).join("; "),
  next_fix: (fleet, row) => fleet.plan(row)[0]?.id ?? "",
};

function theirs(read) {
  return (fleet, row) => guarded(read(fleet, row));
}

/** An apostrophe stands before what a spreadsheet would take for a formula. */
function guarded(text) {
  return RISKY.test(text) ? `'${text}` : text;
}

/** "2026-11-22T02:00:00Z"; the page keeps whole minutes. */
function stamp(minutes) {
  return typeof minutes === "number" ? `${new Date(minutes * 60000).toISOString().slice(0, 19)}Z` : (minutes ?? "");
}

/** RFC 4180: commas, CRLF, quotes doubled. */
function csvOf(fleet, rows) {
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [Object.keys(CSV).join(",")];
  for (const row of rows) lines.push(Object.values(CSV).map((read) => cell(read(fleet, row))).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Puts text on the clipboard, also where a page opened from a plain web server may not use the newer way. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const box = element("textarea", { class: "unseen", "aria-hidden": "true" });
    box.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(box);
    const focused = document.activeElement;
    box.select();
    document.execCommand("copy");
    box.remove();
    focused?.focus({ preventScroll: true });
  }
}

/** A button that copies and says so. */
function copier(label, text, attributes = {}) {
  const made = button(label, attributes, async () => {
    await copy(text());
    document.getElementById("said").textContent = "Copied.";
    made.textContent = "Copied";
    setTimeout(() => (made.textContent = label), 2000);
  });
  return made;
}
