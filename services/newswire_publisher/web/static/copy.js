// Puts a button beside each text that is there to be copied; without it the text can still be selected.

for (const text of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  const label = document.getElementById(text.getAttribute("aria-labelledby"));
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${label.textContent}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text); // not a secure context, or refused: one key is left to press
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  text.parentElement.append(button);
}
