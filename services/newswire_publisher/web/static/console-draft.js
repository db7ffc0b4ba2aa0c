// What was typed in a form and not sent yet, so that a reload or the back button loses none of it. It lies in the tab,
// like the token, and goes with it. A secret is never kept: the field is empty again.

const [SECRET, KEPT] = ["secret", `newswire.draft ${location.pathname}`];

const fields = (form) => [...form.elements].filter((field) => field.name && field.name !== SECRET);
const isBox = (field) => field.type === "checkbox" || field.type === "radio";
const namesOf = (form) => fields(form).map((field) => field.name).join();

function write(form, key) {
  const values = fields(form).map((field) => (isBox(field) ? field.checked : field.value));
  sessionStorage.setItem(KEPT, JSON.stringify({ names: namesOf(form), values, key }));
}

const read = () => JSON.parse(sessionStorage.getItem(KEPT) || "{}");
const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

let held; // the key of what the form says now

export const forgetDraft = () => sessionStorage.removeItem(KEPT);

export function keepDraft(form) {
  form.addEventListener("input", () => {
    held = undefined;
    write(form);
  });
}

// Fills the form again after a reload or the way back; returns whether there was anything. A form that is come to
// anew begins anew.
export function findDraft(form) {
  const { names, values } = read();
  const [how] = performance.getEntriesByType("navigation");
  if (names !== namesOf(form) || !["reload", "back_forward"].includes(how?.type)) return false;
  fields(form).forEach((field, at) => {
    if (isBox(field)) field.checked = values[at];
    else field.value = values[at];
  });
  return true;
}

// The same key as long as the form says the same, so that a second try after a lost answer registers nothing twice.
export function keyOf(form) {
  held ||= read().key || newKey();
  write(form, form.elements[SECRET]?.value ? undefined : held); // what comes back without its secret is something else
  return held;
}
