// The dry run: what a filter would have carried, counted by day and type, with the newest headlines.

import { $, copyOf, countOf, countText, longTime, moment, put, say, shortTime } from "./console-dom.js";
import { call } from "./console-api.js";

const RIGHT_TO_LEFT = /^(ar|arc|ckb|dv|fa|he|ks|nqo|ps|sd|syr|ug|ur|yi)(-|$)/i;
const HEADLINES = 8;

const directionOf = (language) => (!language ? "auto" : RIGHT_TO_LEFT.test(language) ? "rtl" : "ltr");

function bars(list, pairs, label) {
  const most = Math.max(1, ...pairs.map(([, count]) => count));
  list.replaceChildren(
    ...pairs.map(([name, count]) => {
      const item = copyOf("bar");
      say($(".name", item), label(name));
      say($(".number", item), String(count));
      $(".fill", item).style.inlineSize = `${(100 * count) / most}%`;
      return item;
    }),
  );
}

function sample(story) {
  const item = copyOf("sample");
  const at = moment(story.time);
  const facts = [at && shortTime(at), story.type.replace("article.", ""), story.language, story.section].filter(Boolean);
  say($(".when", item), facts.join(" · "));
  if (at) $(".when", item).title = longTime(at);
  const link = $("a", item);
  say(link, story.headline || story.uri);
  link.href = `/articles/${encodeURIComponent(story.key)}`;
  link.target = "_blank"; // what is typed in the form stays
  link.rel = "noopener";
  const title = $(".title", item);
  if (story.language) title.lang = story.language;
  title.dir = directionOf(story.language);
  return item;
}

const dayName = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

export async function tryFilter(wanted, days) {
  const found = await call("POST", "/v1/webhooks/dry-run", { ...wanted, days });
  const span = days === 1 ? "the last day" : `the last ${days} days`;
  say($("#found-title"), `${countOf(found.pushes, "event")} in ${span}`);
  const stories = countOf(found.matched, "story", "stories");
  const scanned = countText(found.scanned);
  const whole = `From ${stories} of ${scanned} that came over the wire.`;
  const part = `From ${stories} of the newest ${scanned} that came over the wire; older ones were not looked at.`;
  put($("#found-note"), found.truncated ? part : whole);
  const byDay = found.per_day.map(({ date, pushes }) => [date, pushes]).reverse();
  bars($("#found-days"), byDay, (day) => dayName.format(new Date(day)));
  bars($("#found-types"), Object.entries(found.by_type), (type) => type.replace("article.", ""));
  $("#found-stories").replaceChildren(...found.items.slice(0, HEADLINES).map(sample));
  $("#found-more").hidden = !found.pushes;
  $("#found").hidden = false;
  $("#found-title").focus();
}
