// Shows a secret, once: it is in the page as long as the dialog is open, and nowhere else.

import { $, ask, put, say } from "./console-dom.js";

const WORDS = {
  secret: [
    "Keep this secret now",
    "Secret",
    "It is shown this once. Your endpoint checks the signatures with it; whoever has it can sign in our name. If you lose it, rotate it.",
    "I have kept it",
  ],
  // Of ed25519 only the public half is ever shown, and that as often as one likes.
  key: ["Give this key to your endpoint", "Public key", "Your endpoint checks the signatures with it. It is no secret, and stays among the settings.", "Done"],
};

export async function showSecret({ secret }, note = "") {
  const dialog = $("#secret");
  const text = $("#secret-text");
  const isKey = secret.startsWith("whpk_");
  const [title, label, warning, done] = WORDS[isKey ? "key" : "secret"];
  say($("#secret-title"), title);
  say($("#secret-label"), label);
  say($("#secret-warning"), warning);
  say($(".actions button", dialog), done);
  $(".copy", dialog)?.setAttribute("aria-label", `Copy: ${label}`);
  text.textContent = secret;
  put($("#secret-note"), note);
  const stay = (event) => event.preventDefault(); // Escape would lose it unread
  if (!isKey) dialog.addEventListener("cancel", stay);
  await ask(dialog);
  dialog.removeEventListener("cancel", stay);
  text.textContent = "";
}
