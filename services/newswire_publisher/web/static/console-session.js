// Signing in and out. A page's own script gets its turn once the token has been found good.

import { $, put } from "./console-dom.js";
import { call, token } from "./console-api.js";

$("#no-script").remove();
const view = $("#view");
const gate = $("#sign-in");
const field = $("#token");
const wrong = $("#e-token");
let open = false;

function refuse(text) {
  token.forget();
  open = false;
  view.hidden = true;
  $("#who").hidden = true;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  gate.hidden = false;
  put(wrong, text);
  field.toggleAttribute("aria-invalid", Boolean(text));
  field.value = "";
  field.focus();
}

// Why a token does not open the console, in words for whoever typed it.
function reason(problem) {
  if (problem.status === 401) return "This token is not known here. It may be mistyped, revoked or expired: ask an operator for a new one.";
  return problem.message;
}

async function enter() {
  const self = await call("GET", "/v1/tokens/self");
  if (self.role !== "integrator" && self.role !== "operator") {
    const refused = new Error(`This is a ${self.role}’s token. Webhooks need an integrator’s or an operator’s.`);
    throw Object.assign(refused, { status: 403 });
  }
  open = true;
  gate.hidden = true;
  wrong.hidden = true;
  $("#who bdi").textContent = self.name;
  $("#who .role").textContent = self.role === self.name ? "" : `, ${self.role}`;
  $("#who").hidden = false;
  view.hidden = false;
  return self;
}

// Calls `start(self)` with the token's role and name, now or after signing in; once.
export function signedIn(start) {
  let started = false;
  const begin = async (byHand) => {
    try {
      const self = await enter();
      if (byHand) $("h1", view).focus();
      if (!started) {
        started = true;
        await start(self);
      }
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (problem.status === 401 || problem.status === 403) return refuse(reason(problem));
      gate.hidden = false;
      put(wrong, problem.message);
    }
  };
  document.addEventListener("refused", () => open && refuse("Your token is no longer good. Sign in with a new one."));
  $("form", gate).addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = field.value.trim();
    if (!/^[\x21-\x7e]+$/.test(typed)) return refuse("Paste the token as you got it, without spaces.");
    token.keep(typed);
    begin(true);
  });
  $("#sign-out").addEventListener("click", () => {
    token.forget();
    location.assign("/console"); // a fresh page: nothing of what was seen stays in it
  });
  addEventListener("pageshow", (event) => event.persisted && location.reload()); // a page of before may show what was another's
  if (token.get()) return begin(false);
  gate.hidden = false;
  field.focus();
}
