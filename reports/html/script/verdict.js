// One device in words: the verdict, the text for the person who has it, and the text for a ticket.

/** The verdict in one or two sentences. */
function verdict(fleet, row) {
  const { words, devices } = fleet;
  const status = devices.status.at(row);
  const reason = devices.reason.at(row);
  const sentence = words.verdicts[status] ?? status;
  if (status === "unknown" || status === "not_applicable") return `${sentence}: ${fleet.reason(reason)}.`;
  if (status !== "at_risk") return sentence;
  const problem = fleet.backupProblem(row);
  const titles = fleet.standing(row).map((each) => fleet.check(fleet.findings.check.at(each)));
  if (problem === undefined) return `${words.verdicts.at_risk_otherwise}: ${titles.join("; ")}.`;
  return `${sentence} ${fleet.findings.summary.at(problem)} ${causeSentence(fleet, row)}`;
}

function causeSentence(fleet, row) {
  const cause = fleet.devices.cause.at(row);
  if (!cause) return "";
  if (cause === "unexplained") return "Nothing that can be observed explains it; the steps below lead to what cannot.";
  return `Most probable cause: ${fleet.check(cause)}.`;
}

const SAFE_STEPS = 4;

/** The steps that the person can take without risking data; those with a risk are for a talk, not for a mail. */
function safeSteps(fleet, row) {
  const own = fleet.plan(row).filter(({ audience, fix }) => audience === "user" && fix);
  const risky = own.findIndex(({ fix }) => fix.risk);
  return own.slice(0, risky < 0 ? SAFE_STEPS : Math.min(risky, SAFE_STEPS));
}

/** The text for the person who has the device; empty where there is nothing for them to do. */
function userText(fleet, row) {
  const steps = safeSteps(fleet, row);
  if (!steps.length) return "";
  const told = steps.flatMap(({ id, fix }, place) => [
    `${place + 1}. ${fix.title} (about ${counted(fix.minutes, "minute")})`,
    ...howToLines(fleet, row, id).map((line) => `   - ${line}`),
    `   It worked when: ${fix.verify}`,
    "",
  ]);
  return [
    "Hello,", "",
    `${userProblem(fleet, row)} Please take these steps one after the other, and stop as soon as one has helped:`, "",
    ...told,
    "If a step cannot be done, answer with its number.",
  ].join("\n");
}

function userProblem(fleet, row) {
  const device = `Your ${fleet.model(row) || "device"} "${fleet.name(row)}" (serial number ${fleet.text("serial", row) || "unknown"})`;
  if (fleet.backupProblem(row) === undefined) return `${device} needs your attention.`;
  const last = fleet.lastBackup(row);
  const since = typeof last === "number" ? `has made no iCloud backup since ${fleet.moment(last).slice(0, 10)}` : "makes no iCloud backups";
  return `${device} ${since}. If it were lost or broken today, everything newer would be gone.`;
}

/** The text for a ticket: what, where, why, who does what, and the way back here. */
function ticketText(fleet, row) {
  const facts = ["serial", "model_name", "os_version", "user_name", "user_email", "site"].map((name) => fleet.text(name, row)).filter(Boolean);
  const findings = fleet.standing(row).map((each) => {
    const read = (name) => fleet.findings[name].at(each);
    return `- ${fleet.words.severities[read("severity")][1]}: ${fleet.check(read("check"))}. ${read("summary")} (ticket id ${fleet.findings.id.at(each)})`;
  });
  const steps = fleet.plan(row).map(({ id, audience, why, fix }, place) => `${place + 1}. [${audience}] ${fix?.title ?? id}: ${why}`);
  return [
    `${fleet.name(row)} (${facts.join(", ")})`, "",
    verdict(fleet, row), "",
    ...(findings.length ? ["Findings", ...findings, ""] : []),
    ...(steps.length ? ["What to do", ...steps, ""] : []),
    linkTo(fleet, row),
  ].join("\n");
}

/** Where this device is found: at the address that the settings give to reports, else in this very file. */
function linkTo(fleet, row) {
  const here = fleet.address || location.href.replace(/#.*$/, "");
  return `${here}#d=${fleet.devices.key.at(row)}`;
}
