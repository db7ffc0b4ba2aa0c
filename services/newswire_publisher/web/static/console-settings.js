// An endpoint's settings as the form shows them, and back; and what changed, as a merge patch. Pure, but for the form.

const COMMAS = /[,،、，;؛\n]/;
export const LISTS = ["languages", "sections", "topics", "places", "sources", "genres", "words", "phrases"];
const NUMBERS = ["rate", "concurrency", "max_age"];

const split = (text) => text.split(COMMAS).map((part) => part.trim()).filter(Boolean);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// A value with a comma in it would come back from its field as two.
const fits = (values) => !values.some((value) => COMMAS.test(value));

// The parts of a filter that the form has no field for.
export function beyond(filter) {
  const { exclude, urgency, ...others } = filter;
  const rest = Object.fromEntries(Object.entries(others).filter(([name, values]) => !LISTS.includes(name) || !fits(values)));
  const excluded = { ...exclude };
  if (fits(excluded.words || [])) delete excluded.words;
  if (Object.keys(excluded).length) rest.exclude = excluded;
  if (urgency > 5) rest.urgency = urgency;
  return rest;
}

export function filterOf(form, rest = {}) {
  const filter = structuredClone(rest);
  for (const name of LISTS) {
    const values = split(form.elements[name].value);
    if (values.length) filter[name] = values;
  }
  const words = split(form.elements.exclude.value);
  if (words.length) filter.exclude = { ...filter.exclude, words };
  if (form.elements.urgency.value) filter.urgency = Number(form.elements.urgency.value);
  return filter;
}

// A number as it was typed: what is none goes to the API as text, so that its answer stands beside the field.
function numberOf(text) {
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

function headersOf(text) {
  const headers = {};
  for (const line of text.split("\n").filter((each) => each.trim())) {
    const [name, ...value] = line.split(":");
    headers[name.trim()] = value.join(":").trim();
  }
  return headers;
}

const ofArticles = (type) => type.startsWith("article.");

// The types that are chosen; nothing if they are those that the API means by none: all of articles.
export function eventsOf(form) {
  const boxes = [...form.elements.events];
  const usual = boxes.every((box) => box.checked === ofArticles(box.value));
  return usual ? undefined : boxes.filter((box) => box.checked).map((box) => box.value);
}

export function settingsOf(form, rest = {}) {
  const { elements } = form;
  const settings = { filter: filterOf(form, rest), format: elements.format.value, signature: elements.signature.value };
  for (const name of ["url", "description", "secret"]) {
    const text = elements[name]?.value.trim();
    if (text) settings[name] = text;
  }
  const events = eventsOf(form);
  if (events) settings.events = events;
  for (const name of NUMBERS) if (elements[name].value.trim()) settings[name] = numberOf(elements[name].value);
  if (elements.retry.value.trim()) settings.retry = split(elements.retry.value).map(numberOf);
  if (elements.ordered.checked) settings.ordered = true;
  if (elements.challenge.checked) settings.challenge = true;
  const headers = headersOf(elements.headers.value);
  if (Object.keys(headers).length) settings.headers = headers;
  return settings;
}

const matches = (pattern, type) => new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`).test(type);

export function showSettings(form, hook) {
  const { elements } = form;
  const { filter = {} } = hook;
  const listed = (values = []) => (fits(values) ? values.join(", ") : "");
  for (const name of LISTS) elements[name].value = listed(filter[name]);
  elements.exclude.value = listed(filter.exclude?.words);
  elements.urgency.value = filter.urgency <= 5 ? String(filter.urgency) : "";
  for (const name of ["url", "description"]) elements[name].value = hook[name] || "";
  elements.format.value = hook.format;
  elements.signature.value = hook.signature;
  for (const box of elements.events) {
    box.checked = hook.events?.length ? hook.events.some((each) => matches(each, box.value)) : ofArticles(box.value);
  }
  for (const name of NUMBERS) elements[name].value = hook[name] ?? "";
  elements.retry.value = (hook.retry || []).join(", ");
  for (const name of ["ordered", "challenge"]) elements[name].checked = Boolean(hook[name]);
  elements.headers.value = Object.entries(hook.headers || {}).map(([name, value]) => `${name}: ${value}`).join("\n");
}

// What turns `before` into `after` (RFC 7396): only what differs, null for what is gone.
export function patchOf(before, after) {
  const patch = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (is === undefined) patch[name] = null;
    else if (isObject(was) && isObject(is)) {
      const inner = patchOf(was, is);
      if (Object.keys(inner).length) patch[name] = inner;
    } else if (JSON.stringify(was) !== JSON.stringify(is)) patch[name] = is;
  }
  return patch;
}
