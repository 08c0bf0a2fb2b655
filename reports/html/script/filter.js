// Filtering: which devices the page's state asks for, and what a facet would show. Nothing here touches the page.

const SEARCHED = ["name", "serial", "user_name", "user_email", "model_name", "asset_tag", "site", "os_version", "udid"];
const NAMES = ["status", ...Object.keys(FINDING_FACETS), ...Object.keys(FACETS).filter((name) => name !== "status")];

/** One look at the fleet: for every device a bit for each filter that it fails. */
class Look {
  constructor(fleet, state) {
    this.fleet = fleet;
    this.state = state;
    this.failing = new Uint32Array(fleet.rows);
    if (Object.keys(FINDING_FACETS).some((name) => state[name].length)) this.failWithoutFinding();
    Object.keys(FACETS).forEach((name, place) => {
      if (state[name].length) this.fail(2 + place, facetOf(fleet, name).failing(state[name]));
    });
    if (state.q.trim()) this.search(state.q);
  }

  fail(bit, fails) {
    const { failing } = this;
    for (let row = 0; row < failing.length; row += 1) failing[row] |= fails(row) << bit;
  }

  /** Those of `rows` that fail nothing, in their order. */
  passing(rows) {
    const { failing } = this;
    const kept = new Uint32Array(rows.length);
    let many = 0;
    for (let place = 0; place < rows.length; place += 1) {
      const row = rows[place];
      if (!failing[row]) kept[many++] = row;
    }
    return kept.subarray(0, many);
  }

  /** A bit for each facet of findings that a finding fails; without a state asked for, only standing ones pass. */
  get findings() {
    const { findings } = this.fleet;
    const failing = new Uint8Array(findings.state.rows);
    Object.keys(FINDING_FACETS).forEach((name, place) => {
      const wanted = name === "state" && !this.state.state.length ? STANDING : this.state[name];
      if (!wanted.length) return;
      const fails = findings[name].entries.map((entry) => (wanted.includes(entry) ? 0 : 1 << place));
      findings[name].codes.forEach((code, finding) => (failing[finding] |= fails[code]));
    });
    return settled(this, "findings", failing);
  }

  /** A device fails that has no finding to which all of what is asked for applies together. */
  failWithoutFinding() {
    const without = new Uint8Array(this.fleet.rows).fill(1);
    this.findings.forEach((bits, finding) => {
      if (!bits) without[this.fleet.owners[finding]] = 0;
    });
    this.fail(0, (row) => without[row]);
  }

  /** Devices in which some word of the query occurs in none of the searched columns fail. */
  search(query) {
    const { fleet } = this;
    const columns = SEARCHED.map((name) => fleet.devices[`fact_${name}`]);
    for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
      const hit = new Uint8Array(fleet.rows);
      for (const column of columns) markHits(column, word, hit);
      for (let row = 0; row < hit.length; row += 1) this.failing[row] |= (1 - hit[row]) << 1;
    }
  }

  /** The values of a facet with how many devices each would show, all other filters as they are: `[value, count]`. */
  choices(name) {
    return name in FACETS ? this.deviceChoices(name) : this.findingChoices(name);
  }

  deviceChoices(name) {
    const facet = facetOf(this.fleet, name);
    const own = 1 << (2 + Object.keys(FACETS).indexOf(name));
    const counts = facet.counts(this.fleet.rows, (row) => !(this.failing[row] & ~own));
    return ranked(facet.values.map((value, number) => [value, counts[number]]), facet.ordered, this.state[name]);
  }

  findingChoices(name) {
    const { entries, codes } = this.fleet.findings[name];
    const own = 1 << Object.keys(FINDING_FACETS).indexOf(name);
    const counts = new Map();
    const last = new Map(); // the device counted last: its findings stand together, and it counts once
    codes.forEach((code, finding) => {
      const owner = this.fleet.owners[finding];
      if (this.findings[finding] & ~own || this.failing[owner] & ~1 || last.get(code) === owner) return;
      last.set(code, owner);
      counts.set(entries[code], (counts.get(entries[code]) ?? 0) + 1);
    });
    const order = FINDING_FACETS[name][2](this.fleet);
    const values = [...order, ...entries.filter((entry) => entry && !order.includes(entry))];
    return ranked(values.map((value) => [value, counts.get(value) ?? 0]), name !== "check", this.state[name]);
  }
}

/** Marks the rows in whose text a word occurs. */
function markHits(column, word, hit) {
  if (!column.spec.codes) {
    column.search(word, (line) => (hit[line] = 1));
    return;
  }
  const lines = new Uint8Array(column.starts.length);
  let any = false;
  column.search(word, (line) => (any = lines[line] = 1));
  const { codes } = column;
  if (any) for (let row = 0; row < hit.length; row += 1) hit[row] |= lines[codes[row]];
}

/** Facets are the same for every look: made once per fleet. */
function facetOf(fleet, name) {
  fleet.facets ??= {};
  return (fleet.facets[name] ??= new Facet(FACETS[name][0], FACETS[name][1](fleet)));
}

/** Whether there is anything to choose: a fleet without sites needs no filter for them. */
function isTold({ devices, incidents }, name) {
  if (name === "incident") return incidents.length > 0;
  if (name === "catalogue") return devices.beyond_catalog.entries.some(Boolean);
  const column = { site: "fact_site", group: "fact_groups", department: "fact_department" }[name];
  return !column || devices[column].entries.some(Boolean);
}

function labelOf(name) {
  return (FACETS[name] ?? FINDING_FACETS[name])[0];
}

function wordOf(fleet, name, value) {
  return String((name in FACETS ? facetOf(fleet, name).word(value) : FINDING_FACETS[name][1](fleet)(value)) ?? value);
}

/** Without those that nobody has and nobody asks for; the most frequent first where they have no order of their own. */
function ranked(choices, ordered, wanted) {
  const shown = choices.filter(([value, count]) => count || wanted.includes(value));
  return ordered ? shown : shown.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
