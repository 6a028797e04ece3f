// Replaces <main> by a fresh one every two seconds while the page is looked at.
"use strict";
const every = 2000;
const link = document.getElementById("link");
let last = Date.now();

async function refresh() {
  try {
    const reply = await fetch(location.pathname, { signal: AbortSignal.timeout(every * 2) });
    if (!reply.ok) throw new Error(reply.status);
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const open = [...document.querySelectorAll("details")].map((one) => one.open);
    const held = document.activeElement?.closest("main") ? document.activeElement.getAttribute("href") : null;
    document.querySelector("main").replaceWith(page.querySelector("main"));
    document.querySelectorAll("details").forEach((one, number) => (one.open = open[number] ?? false));
    if (held) document.querySelector(`main a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
    document.title = page.title;
    last = Date.now();
    document.body.classList.remove("late");
    link.textContent = "live";
  } catch {
    document.body.classList.add("late");
    link.textContent = `not reachable for ${Math.round((Date.now() - last) / 1000)} s`;
  }
}

async function follow() {
  if (!document.hidden) await refresh();
  setTimeout(follow, every);
}

link.textContent = "live";
setTimeout(follow, every);
