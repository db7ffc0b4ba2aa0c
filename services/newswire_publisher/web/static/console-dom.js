// Small tools of the console's pages: elements, moments in UTC, and work that only goes on while someone looks.

export const $ = (selector, root = document) => root.querySelector(selector);
export const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

// Text goes in as text: nothing that the API says is ever read as markup.
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Screen readers speak a status whenever it is set, so it is set only when it says something new.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Shows text in an element, or hides the element where there is none.
export function put(element, text) {
  say(element, text || "");
  element.hidden = !text;
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "UTC" });
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "medium", timeZone: "UTC" });

// A moment of the API: RFC 3339, or milliseconds since the epoch. Null for none.
export function moment(said) {
  if (said === null || said === undefined || said === "" || said === 0) return null;
  const found = new Date(said);
  return Number.isNaN(found.getTime()) ? null : found;
}

export function shortTime(at, now = new Date()) {
  const today = at.toISOString().slice(0, 10) === now.toISOString().slice(0, 10);
  return today ? clock.format(at) : `${day.format(at)}, ${clock.format(at).slice(0, 5)}`;
}

export const longTime = (at) => `${whole.format(at)} UTC`;

export function timeOf(at, text = shortTime(at)) {
  return make("time", { dateTime: at.toISOString(), title: longTime(at), textContent: text });
}

// A length of time in the two words that matter, such as "3 h" or "2 days".
export function lengthOf(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

// A count as it is shown; a dash for one that is not known.
export const countText = (value) => (value === null || value === undefined ? "–" : Number(value).toLocaleString("en-GB"));

export const countOf = (number, one, many = `${one}s`) => `${countText(number)} ${number === 1 ? one : many}`;

// Runs `act` again and again, `pause()` ms after it ended, and not at all while nobody looks. Returns what runs it at once.
export function whileSeen(act, pause) {
  let timer;
  let running = false;
  const turn = async () => {
    clearTimeout(timer);
    if (running || document.hidden) return;
    running = true;
    try {
      await act();
    } finally {
      running = false;
      timer = setTimeout(turn, pause());
    }
  };
  document.addEventListener("visibilitychange", turn);
  turn();
  return turn;
}

// Opens a dialog and gives its form's answer: the button's value, or "" for Escape and Cancel.
export function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}
