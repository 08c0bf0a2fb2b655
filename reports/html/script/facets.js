// Facets: by what devices can be filtered, and how many there are of each kind. Nothing here touches the page.

/** A facet of devices: per row the number of an entry, per entry the numbers of its values. */
class Facet {
  constructor(label, { codes, values, members, word = (value) => value, ordered = false }) {
    Object.assign(this, { label, makeCodes: codes, values, members, word, ordered });
  }

  get codes() {
    return settled(this, "codes", this.makeCodes());
  }

  /** Per row 0 where it has one of the wanted values, else 1. */
  failing(wanted) {
    const kept = this.values.map((value) => wanted.includes(value));
    const fails = this.members.map((numbers) => (numbers.some((number) => kept[number]) ? 0 : 1));
    return (row) => fails[this.codes[row]];
  }

  /** Per value how many of the rows have it for which `passes` is true. */
  counts(rows, passes) {
    const perEntry = new Uint32Array(this.members.length);
    for (let row = 0; row < rows; row += 1) if (passes(row)) perEntry[this.codes[row]] += 1;
    const counts = new Uint32Array(this.values.length);
    this.members.forEach((numbers, entry) => numbers.forEach((number) => (counts[number] += perEntry[entry])));
    return counts;
  }
}

/** A facet whose values are told by each entry of a column; `tell` gives one value or several. */
function told(column, tell = (entry) => entry) {
  return { ...grouping(column.entries, tell), codes: () => column.codes };
}

function grouping(entries, tell) {
  const numbers = new Map();
  const number = (value) => numbers.get(value) ?? numbers.set(value, numbers.size).get(value);
  const members = entries.map((entry, code) => [...new Set([tell(entry, code)].flat())].map(number));
  return { members, values: [...numbers.keys()] };
}

function bandOf(edges, value) {
  let band = 0;
  while (band < edges.length && value > edges[band]) band += 1;
  return band;
}

/** A facet of bands: `place` gives a row's band, as the counts on the first page are made. */
function banded(fleet, name, place) {
  const { names } = fleet.bands[name];
  const labels = new Map(names);
  return {
    codes: () => Uint8Array.from({ length: fleet.rows }, (_, row) => place(row)),
    values: names.map(([value]) => value),
    members: names.map((_, band) => [band]),
    word: (value) => labels.get(value),
    ordered: true,
  };
}

const DAY = 1440;
const known = (value) => value || "not known";

/** The facets of devices by their name in the address; each is made when first asked for. */
const FACETS = {
  status: ["Status", ({ devices, words }) => inOrder(told(devices.status), Object.keys(words.statuses), (code) => words.statuses[code][1])],
  incident: ["Incident", incidentFacet],
  cause: ["Probable cause", (fleet) => ({ ...told(fleet.devices.cause), word: (id) => (id ? fleet.check(id) : "no backup problem") })],
  fix: ["Next step", (fleet) => ({ ...told(fleet.devices.plan, (entry) => firstFix(fleet, entry)), word: (id) => (id ? (fleet.fixes[id]?.title ?? id) : "nothing to do") })],
  backup: ["Last backup", (fleet) => banded(fleet, "backup", (row) => backupBand(fleet, row))],
  storage: ["Free storage", (fleet) => banded(fleet, "storage", (row) => storageBand(fleet, row))],
  site: ["Site", (fleet) => ({ ...told(fleet.devices.fact_site), word: known })],
  group: ["Group", ({ devices }) => ({ ...told(devices.fact_groups, (entry) => entry.split("\x1f")), word: (name) => name || "none" })],
  department: ["Department", (fleet) => ({ ...told(fleet.devices.fact_department), word: known })],
  model: ["Model", ({ devices }) => ({ ...told(devices.fact_model_name, (name, code) => name || devices.fact_model_identifier.entries[code]), word: known })],
  major: ["System", ({ devices }) => ({ ...told(devices.fact_os_version, major), word: (number) => (number === "unknown" ? "not known" : `${number}.x`) })],
  version: ["System version", (fleet) => ({ ...told(fleet.devices.fact_os_version), word: known })],
  source: ["Source", sourceFacet],
  age: ["Age of the facts", (fleet) => banded(fleet, "age", (row) => bandOf(fleet.bands.age.edges.map((day) => day * DAY), fleet.asOf - fleet.devices.observed[row]))],
  catalogue: ["Apple's catalogue", (fleet) => ({ ...told(fleet.devices.beyond_catalog), word: (code) => fleet.words.catalogue[code] })],
  reason: ["Why not judged", (fleet) => ({ ...told(fleet.devices.reason), word: (code) => (code ? fleet.reason(code) : "judged") })],
};

function inOrder(facet, values, word) {
  const places = facet.values.map((value) => values.indexOf(value));
  return { ...facet, members: facet.members.map((numbers) => numbers.map((number) => places[number])), values, word, ordered: true };
}

function firstFix(fleet, plan) {
  return plan ? fleet.steps[plan.split(",")[0]].split("\x1f")[0] : "";
}

function major(version) {
  const [leading] = version.split(".");
  return /^[0-9]{1,4}$/.test(leading) ? leading : "unknown";
}

function backupBand(fleet, row) {
  const { edges } = fleet.bands.backup;
  const minutes = fleet.lastBackup(row);
  if (minutes === null) return edges.length + 2;
  return minutes === "never" ? edges.length + 1 : bandOf(edges, (fleet.asOf - minutes) / DAY);
}

function storageBand(fleet, row) {
  const { edges } = fleet.bands.storage;
  const free = fleet.freePercent(row);
  if (free === null) return edges.length + 1;
  return edges.filter((edge) => free >= edge).length;
}

/** Every source that knows the device, older records included. */
function sourceFacet({ rows, starts, sightings }) {
  const { source } = sightings;
  const sets = new Map();
  const codes = Uint32Array.from({ length: rows }, (_, row) => {
    const start = starts.sightings[row];
    const end = starts.sightings[row + 1];
    const set = end === start + 1 ? String(source.codes[start]) : [...new Set(source.codes.subarray(start, end))].sort().join();
    return sets.get(set) ?? sets.set(set, sets.size).get(set);
  });
  const names = [...sets.keys()].map((set) => set.split(",").map((code) => source.entries[code]));
  return { ...grouping(names, (several) => several), codes: () => codes };
}

/** The incidents of the whole fleet, each with the devices that it counts; a device may be of several. */
function incidentFacet(fleet) {
  const { incidents, rows } = fleet;
  const concerns = incidents.map((incident) => concernOf(fleet, incident));
  const sets = new Map();
  const codes = Uint32Array.from({ length: rows }, (_, row) => {
    const set = concerns.map((concern) => (concern(row) ? "1" : "0")).join("");
    return sets.get(set) ?? sets.set(set, sets.size).get(set);
  });
  const values = [...incidents.map(({ id }) => id), ""];
  const members = [...sets.keys()].map((set) => (set.includes("1") ? values.flatMap((_, place) => (set[place] === "1" ? [place] : [])) : [incidents.length]));
  return { codes: () => codes, values, members, word: (id) => (id ? incidents.find((one) => one.id === id)?.word : "none"), ordered: true };
}

/** Whether an incident counts a device: an outage holds it back; or it stopped in the time of a wave and shares its factor. */
function concernOf(fleet, { cause, factor, value, since, until }) {
  const { entries, codes } = fleet.devices.cause;
  if (cause) return (row) => entries[codes[row]] === cause;
  const shares = SHARES[factor] ?? (() => true);
  return (row) => {
    const at = fleet.stoppedAt(row);
    return at >= since && at < until && shares(fleet, row, value);
  };
}

/** What devices can have in common; with another factor, or none, it is nothing but the day. */
const SHARES = {
  restriction: (fleet, row) => fleet.text("backup_restricted", row) === "yes",
  os_version: (fleet, row, value) => fleet.text("os_version", row) === value,
  site: (fleet, row, value) => fleet.text("site", row) === value,
  group: (fleet, row, value) => fleet.devices.fact_groups.list(row).includes(value),
  model: (fleet, row, value) => fleet.model(row) === value,
  source: (fleet, row, value) => fleet.sightings.source.at(fleet.sightingOf("last_cloud_backup_at", row)) === value,
};

/** The facets of findings; a device passes with one finding to which all of them apply together. */
const FINDING_FACETS = {
  check: ["Finding", (fleet) => (id) => fleet.check(id), (fleet) => Object.keys(fleet.checks)],
  severity: ["Severity", ({ words }) => (code) => words.severities[code]?.[1] ?? code, ({ words }) => Object.keys(words.severities)],
  state: ["Finding's state", ({ words }) => (code) => words.states[code] ?? code, ({ words }) => Object.keys(words.states)],
};
