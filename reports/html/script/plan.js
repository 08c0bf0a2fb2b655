// What to do about one device, step after step, and who does it.

const FIRST_STEPS = 3;

function plan(fleet, row) {
  const steps = fleet.plan(row).map((step, place, every) => planStep(fleet, row, step, every[place - 1]));
  if (!steps.length) return null;
  const later = steps.slice(FIRST_STEPS);
  const rest = element("details", {}, element("summary", {}, `If these do not help: ${counted(later.length, "more step")}`), element("ol", { class: "plan", start: FIRST_STEPS + 1 }, later));
  return element("div", {}, element("ol", { class: "plan" }, steps.slice(0, FIRST_STEPS)), later.length ? rest : null);
}

/** One step; what it has in common with the one before it is not said twice. */
function planStep(fleet, row, { id, audience, why, fix }, before) {
  const who = fleet.words.audiences[audience] ?? audience;
  const minutes = fix?.minutes ? `, about ${counted(fix.minutes, "minute")}` : "";
  return element("li", {}, element("h4", {}, fix?.title ?? id), element("p", { class: "quiet" }, element("strong", {}, `For ${who}`), minutes),
    why === before?.why ? null : element("p", {}, bdi(why)), fix ? howTo(fleet, row, id, fix, !before) : null);
}

function howTo(fleet, row, id, fix, open) {
  return element("details", { open }, element("summary", {}, "How to do it"),
    fix.risk ? element("p", { class: "banner" }, `Data at risk: ${fix.risk}`) : null,
    fix.password ? element("p", {}, `Asks for ${fix.password}.`) : null,
    element("ol", {}, howToLines(fleet, row, id).map((line) => element("li", {}, line))),
    pairs([["Why it helps", fix.why], ["It worked when", fix.verify], ["What the MDM can do", fix.mdm]]));
}

function howToLines(fleet, row, id) {
  return fleet.howto[fleet.devices.handling.at(row)]?.[id] ?? [];
}
