// Keeps the front page live: new stories on top, corrections in their place, withdrawn ones gone.
// The stream carries what the page's own filter matches. Where it fails the page is as it was.

const MOST = 200;
const RIGHT_TO_LEFT = /^(ar|arc|ckb|dv|fa|he|ks|nqo|ps|sd|syr|ug|ur|yi)(-|$)|-(Adlm|Arab|Hebr|Nkoo|Rohg|Syrc|Thaa)(-|$)/i;
const LEFT_TO_RIGHT = /-(Latn|Cyrl|Deva|Guru)(-|$)/i;
const ALARMS = { 1: "Flash", 2: "Bulletin", 3: "Urgent" };
const status = document.querySelector("[data-live]");
const days = document.querySelector(".days");
let arrived = 0;
let losing;

const find = (uri) => [...days.querySelectorAll("li[data-uri]")].find((item) => item.dataset.uri === uri);
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const versionOf = (event) => Number(event.data.version || 1); // the stream leaves defaults out
const one = (text) => (text || "").replace(/\s+/g, " ").trim();
const cut = (text, length) => (text.length <= length ? text : text.slice(0, length).replace(/\s\S*$/, "") + "…");

// The key of a uri is a hash; a stream that does not name it leaves the look-up to the server.
const address = (article) => (article.key ? `/articles/${article.key}` : `/articles?uri=${encodeURIComponent(article.uri)}`);

// Screen readers speak the status whenever it is set, so it is set only when it says something new.
function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

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
  item.dataset.version = versionOf(event);
  const time = item.querySelector("time");
  time.dateTime = published.toISOString().slice(0, 19) + "Z";
  time.textContent = time.dateTime.slice(11, 16);
  const kicker = item.querySelector(".kicker");
  const add = (tag, text, name) => {
    if (!text) return;
    const part = document.createElement(tag);
    const words = document.createElement("bdi");
    words.textContent = text;
    part.append(words);
    if (name) part.className = name;
    kicker.append(part, " ");
  };
  add("strong", ALARMS[article.urgency], "alarm");
  if (ALARMS[article.urgency]) item.classList.add("urgent");
  if (corrected) add("strong", "Corrected", "corrected");
  add("span", article.section);
  add("span", article.located || (article.dateline && article.dateline.city));
  add("span", article.source);
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
  const before = find(event.data.uri);
  if (before && versionOf(event) <= Number(before.dataset.version)) return; // told again after a break
  const item = render(event);
  item.classList.add("fresh");
  if (before) return before.replaceWith(item);
  if (event.type === "article.corrected") return; // its place is on an older page
  listOf(item).prepend(item);
  arrived += 1;
  say(`Live, ${arrived} new`);
  const all = days.querySelectorAll(".story");
  for (let at = MOST; at < all.length; at += 1) all[at].remove();
}

function withdraw(event) {
  const item = find(event.data.uri);
  if (!item || versionOf(event) < Number(item.dataset.version)) return;
  item.dataset.version = versionOf(event);
  const gone = document.createElement("p");
  gone.textContent = event.type === "article.expired" ? "A story has expired." : "A story was withdrawn. Do not use it.";
  item.querySelector("article").replaceChildren(gone);
  item.classList.add("withdrawn");
  say("Live, a story was withdrawn");
}

function connect() {
  const stream = new EventSource(status.dataset.live);
  const listen = (types, act) => {
    for (const type of types) stream.addEventListener(`article.${type}`, (message) => act(JSON.parse(message.data)));
  };
  stream.addEventListener("open", () => {
    clearTimeout(losing);
    say(arrived ? `Live, ${arrived} new` : "Live");
  });
  stream.addEventListener("error", () => {
    clearTimeout(losing);
    // The browser comes back by itself, unless it was refused; a moment's break is no news.
    losing = setTimeout(() => say(""), stream.readyState === EventSource.CLOSED ? 0 : 5000);
  });
  listen(["new", "rewritten", "reinstated", "corrected", "updated"], show);
  listen(["killed", "withheld", "expired"], withdraw);
  stream.addEventListener("gap", () => location.reload()); // more was missed than the wire still tells
  addEventListener("pagehide", () => stream.close(), { once: true }); // so that the browser may keep the page
}

if (status && "EventSource" in window) {
  connect();
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
