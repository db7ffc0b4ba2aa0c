// One endpoint: its health, what can be done with it, its attempts and its settings.

import { $, countText, put, say, whileSeen } from "./console-dom.js";
import { call, hookPath } from "./console-api.js";
import { healthOf, showHealth } from "./console-health.js";
import { signedIn } from "./console-session.js";
import { wireActs } from "./console-acts.js";
import { watchAttempts } from "./console-attempts.js";
import { showFacts } from "./console-facts.js";
import { showNotices } from "./console-notices.js";
import { showTold } from "./console-told.js";

const id = decodeURIComponent(location.pathname.split("/")[2]);
const page = `/console/${encodeURIComponent(id)}`;
let gone = false;
let operator = false;
let asked = 0;

function show(hook) {
  const health = healthOf(hook);
  say($("#name"), hook.url || hook.description || hook.id);
  document.title = `${hook.description || hook.url || hook.id} · newswire`;
  put($("#about"), hook.url ? hook.description : "");
  $(".endpoint .state").hidden = false;
  showHealth($(".endpoint .health"), health);
  say($(".endpoint .why"), health.reason);
  say($("#c-waiting"), countText(hook.waiting));
  say($("#c-in-flight"), countText(hook.in_flight));
  say($("#c-given-up"), countText(hook.given_up));
  say($("#c-sequence"), countText(hook.last_sequence));
  const stopped = hook.enabled === false;
  $("#test").hidden = !hook.url || health.kind === "pending";
  $("#replay").hidden = !hook.url;
  $("#rotate").hidden = !hook.url;
  $("#disable").hidden = stopped || !hook.url;
  $("#enable").hidden = !stopped;
  $("#verify").hidden = health.kind !== "pending";
  showNotices(hook);
  showFacts(hook, operator);
  $("#whole").hidden = false;
}

async function refresh() {
  if (gone) return;
  asked += 1;
  const turn = asked;
  try {
    const hook = await call("GET", hookPath(id));
    if (turn !== asked) return; // a later answer is on its way, and this one may be from before an act
    show(hook);
    await showTold(id);
    put($("#lost"), "");
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    gone = problem.status === 404;
    if (gone) $("#whole").hidden = true;
    const text = gone ? "There is no such endpoint, or it is not yours to see." : problem.message;
    put($("#lost"), problem.status === 401 ? "" : text);
  }
}

signedIn(async (self) => {
  operator = self.role === "operator";
  $("#edit").href = `${page}/edit`;
  $("#here").href = page;
  say($("#k-log"), `curl -H "Authorization: Bearer $NEWSWIRE_TOKEN" '${location.origin}${hookPath(id)}/events?after=0'`);
  say($("#k-shell"), `newswire webhook attempts ${id}`);
  let look = async () => undefined;
  wireActs(id, () => Promise.all([refresh(), look()])); // before the buttons are shown
  await refresh();
  if (gone) return;
  whileSeen(refresh, () => 3_000);
  look = watchAttempts(id);
});
