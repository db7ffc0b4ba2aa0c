// Where somebody was on a page that fills itself: kept as it is left, found again by reload and by the back button.

import { token } from "./console-api.js";

const KEPT = "newswire.place";

history.scrollRestoration = "manual"; // the browser would scroll before there is anything
addEventListener("pagehide", () => {
  if (!token.get()) return;
  const focused = document.activeElement?.closest("[data-id]")?.dataset.id;
  sessionStorage.setItem(KEPT, JSON.stringify({ page: location.href, top: scrollY, focused }));
});

// Goes there, once what was to be seen is there again. A page that is come to anew begins at its top.
export function findPlace() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
  const [how] = performance.getEntriesByType("navigation");
  if (kept.page !== location.href || !["reload", "back_forward"].includes(how?.type)) return;
  const control = kept.focused && document.querySelector(`[data-id="${CSS.escape(kept.focused)}"] :is(a, button)`);
  if (!control) return scrollTo(0, kept.top);
  control.focus({ preventScroll: true });
  control.scrollIntoView({ block: "center" });
}
