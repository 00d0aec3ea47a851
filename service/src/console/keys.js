// Shortcuts. Every page works without this file.
"use strict";
const typing = (e) => e.target.closest("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("tbody tr")];
let going = 0;
const move = (by) => {
  const all = rows();
  if (!all.length) return;
  const from = all.findIndex((row) => row.classList.contains("here"));
  const to = Math.max(0, Math.min(all.length - 1, from < 0 ? 0 : from + by));
  all.forEach((row, at) => row.classList.toggle("here", at === to));
  const link = all[to].querySelector("a");
  (link || all[to]).focus?.({ preventScroll: true });
  all[to].scrollIntoView({ block: "nearest" });
};
addEventListener("keydown", (e) => {
  if (e.metaKey || e.ctrlKey || e.altKey || typing(e)) return;
  const keys = document.getElementById("keys");
  if (Date.now() - going < 1200) {
    const to = document.querySelector(`[data-go="${CSS.escape(e.key)}"]`);
    going = 0;
    if (to) { e.preventDefault(); to.click(); }
    return;
  }
  if (e.key === "g") going = Date.now();
  else if (e.key === "/") { e.preventDefault(); document.getElementById("search")?.focus(); }
  else if (e.key === "j") move(1);
  else if (e.key === "k") move(-1);
  else if (e.key === "?" && keys?.showModal) keys.showModal();
});
// One sheet is open at a time, and Escape closes it.
document.querySelectorAll("details.action").forEach((one) => {
  one.addEventListener("toggle", () => {
    if (one.open) document.querySelectorAll("details.action[open]").forEach((other) => { if (other !== one) other.open = false; });
  });
  one.addEventListener("keydown", (e) => { if (e.key === "Escape") { one.open = false; one.querySelector("summary").focus(); } });
});
