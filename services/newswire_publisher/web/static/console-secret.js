// Shows a secret, once: it is in the page as long as the dialog is open, and nowhere else.

import { $, ask, put } from "./console-dom.js";

export async function showSecret({ secret, public_key: publicKey }, note = "") {
  const dialog = $("#secret");
  const [text, open] = [$("#secret-text"), $("#public-text")];
  text.textContent = secret;
  open.textContent = publicKey || "";
  $("#public").hidden = !publicKey;
  put($("#secret-note"), note);
  const stay = (event) => event.preventDefault(); // Escape would lose it unread
  dialog.addEventListener("cancel", stay);
  await ask(dialog);
  dialog.removeEventListener("cancel", stay);
  text.textContent = open.textContent = "";
}
