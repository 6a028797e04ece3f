// Keeps <main> as the worker has it while somebody looks: this page's own address, asked for events, sends "page" when
// it changed and "beat" when it did not, at least every three seconds. Each silence is told, and ended by asking again.
"use strict";
const late = 4000, again = 5000; // ms: of silence before it is told; between two questions of ours
const link = document.getElementById("link");
let source = null, asked = 0, heard = 0;

const headed = (one) => one.closest("section")?.querySelector("h2").textContent;
const named = (one) => one.getAttribute("href") ?? (one.matches("summary") ? one.textContent : headed(one));

// What was open stays open, what had the focus has it, what was scrolled aside is.
function show(page) {
  const main = document.querySelector("main");
  const held = main.contains(document.activeElement) ? document.activeElement : null;
  const open = new Set([...main.querySelectorAll("details[open] > summary")].map(named));
  const aside = new Map([...main.querySelectorAll(".scroll")].map((one) => [named(one), one.scrollLeft]));
  main.innerHTML = page.main; // by the worker, which escapes; and the page's policy runs no script in it
  main.querySelectorAll("summary").forEach((one) => (one.parentElement.open = open.has(named(one))));
  main.querySelectorAll(".scroll").forEach((one) => (one.scrollLeft = aside.get(named(one)) ?? 0));
  const same = (one) => one.tagName === held.tagName && named(one) === named(held);
  if (held) [...main.querySelectorAll("a, summary, .scroll")].find(same)?.focus({ preventScroll: true });
  document.title = page.title;
}

function hear() {
  heard = Date.now();
  document.body.classList.remove("late");
  link.textContent = "live";
}

function ask() {
  source?.close();
  asked = Date.now();
  source = new EventSource(location.pathname);
  source.addEventListener("beat", hear);
  source.addEventListener("page", (event) => { show(JSON.parse(event.data)); hear(); });
}

function watch() {
  if (!source || Date.now() - heard < late) return;
  const word = source.readyState === EventSource.CLOSED ? "not live" : "not reachable"; // closed: refused by an answer
  document.body.classList.add("late");
  link.textContent = `${word} for ${Math.round((Date.now() - heard) / 1000)} s`;
  if (Date.now() - asked >= again) ask();
}

function turn() {
  source?.close();
  source = null;
  heard = Date.now();
  if (!document.hidden) ask();
}

document.addEventListener("visibilitychange", turn);
setInterval(watch, 1000);
turn();
