// Filtering: which devices the page's state asks for, and what a facet would show. Nothing here touches the page.

const SEARCHED = ["name", "serial", "user_name", "user_email", "model_name", "asset_tag", "site", "os_version", "udid"];
const NAMES = ["status", ...Object.keys(FINDING_FACETS), ...Object.keys(FACETS).filter((name) => name !== "status")];

/** One look at the fleet: for every device a bit for each filter that it fails. */
class Look {
  constructor(fleet, state) {
    this.fleet = fleet;
    this.state = state;
    this.failing = new Uint32Array(fleet.rows);
    this.findings = this.lookAtFindings();
    Object.keys(FACETS).forEach((name, place) => {
      if (state[name].length) this.fail(2 + place, facetOf(fleet, name).failing(state[name]));
    });
    if (state.q.trim()) this.search(state.q);
  }

  fail(bit, fails) {
    const { failing } = this;
    for (let row = 0; row < failing.length; row += 1) failing[row] |= fails(row) << bit;
  }

  passes(row) {
    return !this.failing[row];
  }

  /** A bit for each facet of findings that a finding fails; and a device fails that has none without a bit. */
  lookAtFindings() {
    const { fleet, state } = this;
    const { findings, owners } = fleet;
    const failing = new Uint8Array(findings.state.rows);
    const names = Object.keys(FINDING_FACETS);
    names.forEach((name, place) => {
      const wanted = name === "state" && !state.state.length ? STANDING : state[name];
      if (!wanted.length) return;
      const fails = findings[name].entries.map((entry) => (wanted.includes(entry) ? 0 : 1 << place));
      findings[name].codes.forEach((code, finding) => (failing[finding] |= fails[code]));
    });
    if (names.some((name) => state[name].length)) {
      const without = new Uint8Array(fleet.rows).fill(1);
      failing.forEach((bits, finding) => {
        if (!bits) without[owners[finding]] = 0;
      });
      this.fail(0, (row) => without[row]);
    }
    return failing;
  }

  /** Devices in which some word of the query occurs in none of the searched columns fail. */
  search(query) {
    const { fleet } = this;
    const columns = SEARCHED.map((name) => fleet.devices[`fact_${name}`]);
    for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
      const hit = new Uint8Array(fleet.rows);
      for (const { folded, codes } of columns) {
        const hits = Uint8Array.from(folded, (entry) => (entry.includes(word) ? 1 : 0));
        if (hits.includes(1)) for (let row = 0; row < fleet.rows; row += 1) hit[row] |= hits[codes[row]];
      }
      this.fail(1, (row) => (hit[row] ? 0 : 1));
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

/** Facets are the same for every look: made once per fleet. */
function facetOf(fleet, name) {
  fleet.facets ??= {};
  return (fleet.facets[name] ??= new Facet(FACETS[name][0], FACETS[name][1](fleet)));
}

/** Whether there is anything to choose: a fleet without sites needs no filter for them. */
function isTold(fleet, name) {
  return name in FACETS ? facetOf(fleet, name).values.some(Boolean) : fleet.findings.check.rows > 0;
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
