// What the verdict on one device rests on: findings with their rule, causes, facts with their source, and gaps.

function findings(fleet, row) {
  const each = fleet.rowsOf("findings", row).map((finding) => findingItem(fleet, row, finding));
  return each.length ? element("ul", { class: "findings" }, each) : element("p", {}, "None.");
}

function findingItem(fleet, row, finding) {
  const read = (name) => fleet.findings[name].at(finding);
  const severity = read("severity");
  const check = read("check");
  const { rule, clears } = fleet.checks[check] ?? {};
  return element("li", { class: read("state") },
    element("h4", {}, mark(severity, fleet.words.severities[severity]), " ", fleet.check(check)),
    element("p", {}, bdi(read("summary"))),
    pairs([...evidence(fleet, row, finding), ...life(fleet, row, finding), ["Rule", rule], ["What would end it", clears], ["How it is known", fleet.words.bases[read("basis")]]]));
}

function life(fleet, row, finding) {
  const { findings: found, words } = fleet;
  const state = found.state.at(finding);
  const reason = found.reason.at(finding);
  const open = Math.floor((fleet.asOf - found.opened_at[finding]) / DAY);
  const again = found.opened_at[finding] !== found.first_seen[finding];
  const ends = found.waiver_until[finding];
  return [
    ["Observed", `${fleet.moment(fleet.minutes(found.observed_at[finding], row))} by ${found.sources.list(finding).join(", ")}`],
    ["State", (words.states[state] ?? state) + (reason ? ` (${fleet.reason(reason)})` : "")],
    ["First seen", fleet.moment(found.first_seen[finding])],
    [again ? "Open again for" : "Open for", STANDING.includes(state) ? counted(open, "day") : null],
    ["Waived until", ends ? fleet.moment(ends).slice(0, 10) : null],
    ["Ticket id", found.id.at(finding)],
  ];
}

function evidence(fleet, row, finding) {
  return fleet.findings.evidence.list(finding).map((name) => evidencePair(fleet, row, name, fleet.evidence(finding, name)));
}

function evidencePair(fleet, row, name, stored) {
  const signal = fleet.signals.find(([each]) => each === name);
  const plain = (name[0] ?? "").toUpperCase() + name.slice(1).replaceAll("_", " ");
  const label = fleet.words.evidence[name] ?? (signal ? signal[1] : plain);
  if (stored === "=") return [label, fleet.fact(name, signal[2], row)];
  return [label, spoken(fleet, name, JSON.parse(stored))];
}

function spoken(fleet, name, value) {
  if (value === null) return "unknown";
  if (Array.isArray(value)) return value.map((each) => (fleet.checks[each] ? fleet.check(each) : each)).join(", ") || "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return name.endsWith("_bytes") ? size(value) : String(value);
  const words = fleet.words.evidence_values[name]?.[value];
  if (words) return words;
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)$/.test(value) ? fleet.moment(Math.floor(Date.parse(value) / 60000)) : value;
}

/** The probable causes with what speaks for and against each; those that nobody can see are named in one breath. */
function causes(fleet, row) {
  const named = fleet.devices.causes.list(row).map((entry) => entry.split(/:(.*)/s));
  if (!named.length) return null;
  const clauses = clausesOf(fleet, row);
  const seen = named.filter(([strength, id]) => strength !== "unseen" || clauses[`for:${id}`] || clauses[`against:${id}`]);
  const unseen = named.filter((each) => !seen.includes(each)).map(([, id]) => causeName(fleet, id));
  const items = seen.map(([strength, id]) => causeItem(fleet, clauses, strength, id));
  if (unseen.length) items.push(element("li", {}, element("p", {}, `Nobody can see whether it is one of these; their cures are in the plan: ${unseen.join("; ")}.`)));
  return element("ul", { class: "findings" }, items);
}

function causeItem(fleet, clauses, strength, id) {
  const list = (title, about) => [title, (clauses[`${about}:${id}`] ?? []).join("; ")];
  return element("li", {}, element("h4", {}, causeName(fleet, id)), element("p", { class: "quiet" }, fleet.words.strengths[strength] ?? strength),
    pairs([list("Speaks for it", "for"), list("Speaks against it", "against")]));
}

/** A check's title, or what the guide calls the cure of a cause that nobody can see. */
function causeName(fleet, id) {
  return id in fleet.checks ? fleet.check(id) : (fleet.fixes[id]?.title ?? id);
}

function ruledOut(fleet, row) {
  const items = Object.entries(clausesOf(fleet, row)).filter(([about]) => about.startsWith("not:"))
    .map(([about, clauses]) => element("li", {}, `${causeName(fleet, about.slice(4))}: no, ${clauses.join("; ")}.`));
  return items.length ? element("ul", {}, items) : null;
}

function clausesOf(fleet, row) {
  const found = {};
  for (const each of fleet.rowsOf("clauses", row)) (found[fleet.clauses.about.at(each)] ??= []).push(fleet.clauses.says.at(each));
  return found;
}

/** Where sources say different things of one fact, when each heard it, and whose word counts. */
function disputes(fleet, row) {
  const said = new Map();
  for (const each of fleet.rowsOf("disputes", row)) {
    const read = (name) => fleet.disputes[name].at(each);
    const source = read("source");
    const value = disputed(fleet, read("signal"), read("value"));
    said.set(read("signal"), [...(said.get(read("signal")) ?? []), { source, value, at: heardAt(fleet, row, source) }]);
  }
  const items = [...said].map(([name, several]) => element("li", {}, bdi(`${labelOfSignal(fleet, name)}: ${contradiction(several)}`)));
  return items.length ? element("ul", {}, items) : null;
}

/** "One says 26.7 on 2026-11-03 at 18:30 UTC, another says …; one counts, being the fresher." */
function contradiction(several) {
  const told = several.map(({ source, value, at }) => `${source} says ${value} on ${day(at)} at ${new Date(at * 60000).toISOString().slice(11, 16)} UTC`);
  const [first, second] = several;
  const why = first.at > second.at ? "being the fresher" : "though both are as fresh";
  return `${told.join(", ")}; ${first.source} counts, ${why}.`;
}

/** When the device told a source what it knows; its records stand with the freshest first, so that one counts. */
function heardAt(fleet, row, source) {
  const sighting = fleet.rowsOf("sightings", row).find((each) => fleet.sightings.source.at(each) === source);
  return fleet.minutes(fleet.sightings.observed[sighting], row);
}

function labelOfSignal(fleet, name) {
  return fleet.signals.find(([each]) => each === name)?.[1] ?? name;
}

function disputed(fleet, name, value) {
  const kind = fleet.signals.find(([each]) => each === name)?.[2];
  if (kind === "time" || kind === "day") return value === "never" ? value : fleet.moment(Number(value));
  if (kind === "size") return fleet.size(Number(value));
  if (kind === "percent") return `${value} %`;
  return kind === "list" ? value.split("\x1f").join(", ") : value;
}

/** Each signal with a value; and of several sources the one that it is from, and its age. */
function facts(fleet, row) {
  const shape = fleet.devices.shape.at(row);
  const several = fleet.rowsOf("sightings", row).length > 1;
  const known = fleet.signals.flatMap(([name, label, kind], place) =>
    shape[place] in GAPS || shape[place] === "o" ? [] : [factRow(fleet, row, label, fleet.fact(name, kind, row), several ? fleet.sightingOf(name, row) : null)]);
  const head = ["Fact", "Value", ...(several ? ["Source", "Reported"] : [])].map((word) => element("th", { scope: "col" }, word));
  return element("table", { class: "facts" }, element("thead", {}, element("tr", {}, head)), element("tbody", {}, known));
}

function factRow(fleet, row, label, value, sighting) {
  const cells = [element("th", { scope: "row" }, label), element("td", {}, bdi(value ?? ""))];
  if (sighting === null) return element("tr", {}, cells);
  const at = fleet.minutes(fleet.sightings.observed[sighting], row);
  return element("tr", {}, cells, element("td", {}, fleet.sightings.source.at(sighting)), element("td", {}, fleet.age(at)));
}

function unknown(fleet, row) {
  const shape = fleet.devices.shape.at(row);
  const gaps = fleet.signals.flatMap(([, label], place) => (shape[place] in GAPS ? [[GAPS[shape[place]], label]] : []));
  const reasons = Object.values(GAPS).filter((reason) => gaps.some(([each]) => each === reason));
  const items = reasons.map((reason) => [gaps.filter(([each]) => each === reason).map(([, label]) => label).join(", "), fleet.reason(reason)]);
  if (shape.includes("o")) items.push(["UDID", "left out of this page, because the serial number names the device; findings.json has it"]);
  return items.length ? element("ul", {}, items.map(([labels, why]) => element("li", {}, `${labels}: ${why}.`))) : null;
}

function sightings(fleet, row) {
  const { words } = fleet;
  return element("ul", {}, fleet.rowsOf("sightings", row).map((each) => {
    const read = (name) => fleet.sightings[name].at(each);
    const stands = words.standings[read("standing")] ?? read("standing");
    const observed = fleet.moment(fleet.minutes(fleet.sightings.observed[each], row));
    return element("li", {}, `${read("source")}: ${stands}. The device reported on ${observed}; last listed on ${fleet.moment(fleet.sightings.seen[each])}.`);
  }));
}
