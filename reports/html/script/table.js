// The columns of the list: how each sorts, and what its cell shows.

const narrow = matchMedia("(max-width: 45rem)");

/** `width` is in rem; `phone` columns stay where there is room for little; `usual` ones show until others are chosen. */
const COLUMNS = {
  status: { label: "Status", width: 7.5, usual: true, phone: true, sorts: statusRanks, cell: statusCell },
  name: { label: "Device", width: 12.5, usual: true, phone: true, sorts: textRanks("name"), cell: nameCell },
  backup: { label: "Last backup", width: 9.25, usual: true, phone: true, sorts: backupRanks, cell: backupCell },
  cause: { label: "Probable cause", width: 13, usual: true, sorts: (fleet) => fleet.devices.cause.ranks, cell: causeCell },
  fix: { label: "Next step", width: 13, usual: true, sorts: facetRanks("fix"), cell: fixCell },
  system: { label: "System", width: 6.25, usual: true, sorts: systemRanks, cell: textCell("os_version") },
  model: { label: "Model", width: 8.75, usual: true, sorts: textRanks("model_name"), cell: (fleet, row) => fleet.model(row) },
  user: { label: "User", width: 8.5, usual: true, sorts: textRanks("user_name"), cell: (fleet, row) => fleet.text("user_name", row) || fleet.text("user_email", row) },
  email: { label: "E-mail", width: 14, sorts: textRanks("user_email"), cell: textCell("user_email") },
  site: { label: "Site", width: 7.75, usual: true, sorts: textRanks("site"), cell: textCell("site") },
  department: { label: "Department", width: 8, sorts: textRanks("department"), cell: textCell("department") },
  groups: { label: "Groups", width: 10, sorts: textRanks("groups"), cell: (fleet, row) => fleet.devices.fact_groups.list(row).join(", ") },
  source: { label: "Source", width: 8, sorts: facetRanks("source"), cell: (fleet, row) => fleet.sources(row).join(", ") },
  storage: { label: "Free storage", width: 7.5, sorts: storageRanks, cell: storageCell },
  age: { label: "Facts from", width: 7.5, sorts: (fleet) => Float64Array.from(fleet.devices.observed), cell: (fleet, row) => fleet.age(fleet.devices.observed[row]) },
  asset: { label: "Asset tag", width: 8, sorts: textRanks("asset_tag"), cell: textCell("asset_tag") },
};
const USUAL = Object.keys(COLUMNS).filter((name) => COLUMNS[name].usual);
const PAPER = ["status", "name", "backup", "cause", "fix", "user", "site"];
const PHONE = USUAL.filter((name) => COLUMNS[name].phone);

/** The columns to show: those that were chosen, or what fits. */
function columnsOf(chosen) {
  const wanted = chosen.split(" ").filter((name) => name in COLUMNS);
  return wanted.length ? wanted : narrow.matches ? PHONE : USUAL;
}

/** All devices in the order of one column; equal ones stay in the order of their keys, nothing known comes last. */
function ordered(fleet, name, direction) {
  const column = COLUMNS[name] ?? COLUMNS.status;
  column.orders ??= {};
  return (column.orders[direction] ??= sorted((column.ranks ??= column.sorts(fleet)), direction === "desc" ? -1 : 1));
}

/** Rows by their whole-number ranks: one number holds rank and row, so that the engine's own sort does it. */
function sorted(ranks, sign) {
  const rows = ranks.length;
  const most = ranks.reduce((so, rank) => (rank > so && rank !== Infinity ? rank : so), 0);
  const keys = ranks.map((rank, row) => (rank === Infinity ? most + 1 : sign > 0 ? rank : most - rank) * rows + row).sort();
  return Uint32Array.from(keys, (key) => key - Math.floor(key / rows) * rows);
}

function textRanks(name) {
  return (fleet) => fleet.devices[`fact_${name}`].ranks;
}

/** In the alphabet of what a facet calls a device's first value. */
function facetRanks(name) {
  return (fleet) => {
    const facet = facetOf(fleet, name);
    const labels = facet.members.map((numbers) => (facet.values[numbers[0]] ? facet.word(facet.values[numbers[0]]).toLowerCase() : ""));
    const places = new Map([...new Set(labels)].sort().map((label, place) => [label, label ? place : Infinity]));
    return Float64Array.from(facet.codes, (code) => places.get(labels[code]));
  };
}

const LONGEST = 4094; // days; never is one more, and what is not known comes last

/** By status, then by severity, then by how long there has been no backup. */
function statusRanks(fleet) {
  const statuses = Object.keys(fleet.words.statuses);
  const severities = Object.keys(fleet.words.severities);
  const { status, severity } = fleet.devices;
  const grave = severity.entries.map((code) => (code ? severities.indexOf(code) : severities.length));
  const first = status.entries.map((code) => 10 * statuses.indexOf(code));
  const fresh = (row) => {
    const minutes = fleet.lastBackup(row);
    if (minutes === null) return LONGEST + 1;
    return minutes === "never" ? 0 : LONGEST - Math.min(Math.max(Math.floor((fleet.asOf - minutes) / DAY), 0), LONGEST - 1);
  };
  return Float64Array.from({ length: fleet.rows }, (_, row) => (first[status.codes[row]] + grave[severity.codes[row]]) * (LONGEST + 2) + fresh(row));
}

/** Never first, then the oldest; what is not known comes last. */
function backupRanks(fleet) {
  return Float64Array.from({ length: fleet.rows }, (_, row) => {
    const minutes = fleet.lastBackup(row);
    return minutes === "never" ? 0 : (minutes ?? Infinity);
  });
}

function storageRanks(fleet) {
  return Float64Array.from({ length: fleet.rows }, (_, row) => {
    const percent = fleet.freePercent(row);
    return percent === null ? Infinity : Math.round(1000 * percent);
  });
}

function systemRanks(fleet) {
  const { entries, codes } = fleet.devices.fact_os_version;
  const version = (text) => text.split(".").slice(0, 3).reduce((sum, part, place) => sum + Math.min(parseInt(part, 10) || 0, 999) * 1000 ** (2 - place), 0);
  const ranks = entries.map((entry) => (entry ? version(entry) : Infinity));
  return Float64Array.from(codes, (code) => ranks[code]);
}

function statusCell(fleet, row) {
  const status = fleet.devices.status.at(row);
  const severity = fleet.devices.severity.at(row);
  return [mark(status, fleet.words.statuses[status]), severity && element("small", {}, fleet.words.severities[severity][1])];
}

function nameCell(fleet, row) {
  const serial = fleet.text("serial", row) || fleet.text("udid", row);
  const link = element("a", { href: `#d=${fleet.devices.key.at(row)}`, tabindex: "-1" }, bdi(fleet.name(row)));
  return [link, serial && element("small", {}, bdi(serial))];
}

function backupCell(fleet, row) {
  const minutes = fleet.lastBackup(row);
  if (minutes === null) return "not known";
  return minutes === "never" ? "never" : [fleet.age(minutes), element("small", {}, fleet.moment(minutes).slice(0, 10))];
}

function causeCell(fleet, row) {
  const cause = fleet.devices.cause.at(row);
  if (cause) return fleet.check(cause);
  const [finding] = fleet.standing(row);
  if (finding !== undefined) return fleet.check(fleet.findings.check.at(finding));
  const reason = fleet.devices.reason.at(row);
  return reason ? fleet.reason(reason) : "";
}

function fixCell(fleet, row) {
  const facet = facetOf(fleet, "fix");
  const [number] = facet.members[facet.codes[row]];
  return facet.values[number] ? facet.word(facet.values[number]) : "";
}

function storageCell(fleet, row) {
  const percent = fleet.freePercent(row);
  return percent === null ? "not known" : [`${percent.toFixed(1)} %`, element("small", {}, fleet.fact("available_bytes", "size", row))];
}

function textCell(name) {
  return (fleet, row) => fleet.text(name, row);
}
