// Keeps the front page live: new stories on top, corrections in their place, withdrawn ones gone.
// The stream carries what the page's own filter matches. Where it fails the page is as it was.
"use strict";

const MOST = 200;
const RIGHT_TO_LEFT = /^(ar|arc|ckb|dv|fa|he|ks|nqo|ps|sd|syr|ug|ur|yi)(-|$)|-(Adlm|Arab|Hebr|Nkoo|Rohg|Syrc|Thaa)(-|$)/i;
const LEFT_TO_RIGHT = /-(Latn|Cyrl|Deva|Guru)(-|$)/i;
const ALARMS = { 1: "Flash", 2: "Bulletin", 3: "Urgent" };
const status = document.querySelector("[data-live]");
const days = document.querySelector(".days");
let arrived = 0;

const find = (uri) => [...days.querySelectorAll("li[data-uri]")].find((item) => item.dataset.uri === uri);
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const one = (text) => (text || "").replace(/\s+/g, " ").trim();
const cut = (text, length) => (text.length <= length ? text : text.slice(0, length).replace(/\s\S*$/, "") + "…");

// The key of a uri is a hash; a stream that does not name it leaves the look-up to the server.
const address = (article) => (article.key ? `/articles/${article.key}` : `/articles?uri=${encodeURIComponent(article.uri)}`);

function fill(element, text, article) {
  if (!text) return element.remove();
  element.textContent = text;
  direct(element, article);
}

function direct(element, article) {
  const tag = article.language || "";
  if (tag) element.lang = tag;
  element.dir = !tag ? "auto" : RIGHT_TO_LEFT.test(tag) && !LEFT_TO_RIGHT.test(tag) ? "rtl" : "ltr";
  return element;
}

function render(event) {
  const article = event.data;
  const item = copy("story");
  const published = new Date(article.published || event.timestamp);
  const corrected = event.type === "article.corrected";
  item.dataset.uri = article.uri;
  const time = item.querySelector("time");
  time.dateTime = published.toISOString().slice(0, 19) + "Z";
  time.textContent = time.dateTime.slice(11, 16);
  const kicker = item.querySelector(".kicker");
  const say = (tag, text, name) => {
    if (!text) return;
    const part = document.createElement(tag);
    const words = document.createElement("bdi");
    words.textContent = text;
    part.append(words);
    if (name) part.className = name;
    kicker.append(part, " ");
  };
  say("strong", ALARMS[article.urgency], "alarm");
  if (ALARMS[article.urgency]) item.classList.add("urgent");
  if (corrected) say("strong", "Corrected", "corrected");
  say("span", article.section);
  say("span", article.located || (article.dateline && article.dateline.city));
  say("span", article.source);
  const title = one(article.headline) || one(article.slugline) || cut(one(article.body_text || article.summary), 100);
  const link = item.querySelector("a");
  link.textContent = title || article.uri;
  link.href = address(article);
  direct(item.querySelector("article"), article).removeAttribute("lang");
  direct(item.querySelector("h3"), article);
  fill(item.querySelector(".note"), corrected ? cut(one(article.ed_note), 200) : "", {});
  const summary = one(article.summary);
  fill(item.querySelector(".summary"), summary === title ? "" : cut(summary, 220), article);
  return item;
}

function listOf(item) {
  const day = item.querySelector("time").dateTime.slice(0, 10);
  const first = days.querySelector(".day");
  if (first && first.dataset.day >= day) return first.querySelector("ol");
  const section = copy("day");
  section.dataset.day = day;
  const format = { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  section.querySelector("h2").textContent = new Date(day).toLocaleDateString("en-GB", format).replace(/^(\w+) /, "$1, ");
  days.prepend(section);
  for (const empty of days.querySelectorAll(".empty")) empty.remove();
  return section.querySelector("ol");
}

function show(event) {
  const item = render(event);
  const before = find(event.data.uri);
  item.classList.add("fresh");
  if (before) return before.replaceWith(item);
  if (event.type === "article.corrected") return; // its place is on an older page
  listOf(item).prepend(item);
  arrived += 1;
  status.textContent = `Live, ${arrived} new`;
  const all = days.querySelectorAll(".story");
  for (let at = MOST; at < all.length; at += 1) all[at].remove();
}

function withdraw(event) {
  const item = find(event.data.uri);
  if (!item) return;
  const gone = document.createElement("p");
  gone.textContent = event.type === "article.expired" ? "A story has expired." : "A story was withdrawn. Do not use it.";
  item.querySelector("article").replaceChildren(gone);
  item.classList.add("withdrawn");
  status.textContent = "Live, a story was withdrawn";
}

function connect() {
  const stream = new EventSource(status.dataset.live);
  const listen = (types, act) => {
    for (const type of types) stream.addEventListener(`article.${type}`, (message) => act(JSON.parse(message.data)));
  };
  stream.addEventListener("open", () => {
    status.textContent = arrived ? `Live, ${arrived} new` : "Live";
  });
  stream.addEventListener("error", () => {
    status.textContent = "";
  });
  listen(["new", "rewritten", "reinstated", "corrected", "updated"], show);
  listen(["killed", "withheld", "expired"], withdraw);
  addEventListener("pagehide", () => stream.close(), { once: true }); // so that the browser may keep the page
}

if (status && "EventSource" in window) {
  connect();
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
