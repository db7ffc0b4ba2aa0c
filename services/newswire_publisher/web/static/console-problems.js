// Shows what the API refused beside the fields that it names by JSON pointer; what has no field stands at the end.

import { $, make, put } from "./console-dom.js";

function clear(form) {
  for (const text of form.querySelectorAll("[data-wrong]")) text.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    describe(field, (ids) => ids.filter((id) => !id.startsWith("e-")));
  }
}

function describe(field, change) {
  const ids = change((field.getAttribute("aria-describedby") || "").split(" ").filter(Boolean));
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}

// The longest of the fields' pointers that the error's begins with: "/retry/1" belongs to "/retry".
function fieldOf(form, pointer) {
  const fields = [...form.querySelectorAll("[data-pointer]")];
  const near = fields.filter((field) => pointer === field.dataset.pointer || pointer.startsWith(`${field.dataset.pointer}/`));
  return near.sort((a, b) => b.dataset.pointer.length - a.dataset.pointer.length)[0];
}

// The API says where and what; "Value error, " before it is the validator's own word.
const worded = (text) => text.replace(/^Value error, /, "").replace(/^./, (first) => first.toUpperCase());

function mark(field, pointer, text) {
  const id = `e${field.dataset.pointer.replaceAll("/", "-")}`;
  const before = document.getElementById(id);
  if (before) return before.append(` ${text}`);
  const control = field.matches("input, select, textarea") ? field : $("input, select, textarea", field);
  control.setAttribute("aria-invalid", "true");
  describe(control, (ids) => [...ids, id]);
  const shown = make("p", { id, className: "wrong", textContent: text });
  shown.dataset.wrong = pointer;
  (field.closest(".field") || field).append(shown);
  for (const details of [field.closest("details")]) if (details) details.open = true;
}

// `end` takes what belongs to no field. The first field that is wrong gets the focus.
export function showProblem(form, end, problem) {
  clear(form);
  const left = [];
  for (const { pointer = "", detail } of problem.errors || []) {
    const field = fieldOf(form, pointer);
    if (field) mark(field, pointer, worded(detail));
    else left.push(pointer ? `${pointer}: ${worded(detail)}` : worded(detail));
  }
  const wrong = form.querySelectorAll("[aria-invalid]");
  const count = wrong.length > 1 ? `See what is said beside ${wrong.length} of the fields.` : "See what is said beside the field.";
  put(end, [...(wrong.length ? [count] : []), ...left].join(" ") || problem.message);
  if (wrong.length) wrong[0].focus();
}

export function clearProblem(form, end) {
  clear(form);
  put(end, "");
}
