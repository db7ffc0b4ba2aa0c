// The rows of the list. One that stays keeps its element, and with it the focus.

import { $, copyOf, countText, put, say } from "./console-dom.js";
import { healthOf, showHealth } from "./console-health.js";

function fill(item, hook, withOwner) {
  const health = healthOf(hook);
  const link = $("a", item);
  say($("bdi", link), hook.url || hook.description || hook.id);
  link.href = `/console/${encodeURIComponent(hook.id)}`;
  showHealth($(".health", item), health);
  put($(".why", item), health.reason);
  put($(".description", item), hook.url ? hook.description : hook.description && hook.id);
  put($(".owner", item), withOwner ? `Owner: ${hook.owner}` : "");
  say($(".waiting", item), countText(hook.waiting));
  say($(".in-flight", item), countText(hook.in_flight));
  say($(".sequence", item), countText(hook.last_sequence));
}

export function showRows(list, hooks, withOwner) {
  const items = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const next = hooks.map((hook) => {
    const item = items.get(hook.id) || copyOf("hook");
    item.dataset.id = hook.id;
    fill(item, hook, withOwner);
    return item;
  });
  if (next.length === list.children.length && next.every((item, at) => item === list.children[at])) return;
  const focused = document.activeElement; // moving an element takes the focus from it
  list.replaceChildren(...next);
  if (list.contains(focused)) focused.focus({ preventScroll: true });
}
