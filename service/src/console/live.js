// Keeps the watched part of a page fresh. Without it, or without a stream, the page is what it was when it was asked for.
"use strict";
(() => {
  const part = () => document.getElementById("fresh");
  if (!part() || !window.EventSource) return;
  let stream, due = false, asking = false, word = "";
  const say = (now = word) => {
    const sign = document.getElementById("live");
    word = now;
    if (sign) sign.textContent = word;
  };
  // Nobody's work is taken from under his hands: what is open, ticked or being written stays.
  const busy = () => {
    const now = part();
    return now.querySelector("details.action[open], input:checked:not([type=radio])") || now.querySelector("input:focus, textarea:focus, select:focus");
  };
  const keep = (from, to) => {
    const open = [...from.querySelectorAll("details:not(.action)")].map((one) => one.open);
    [...to.querySelectorAll("details:not(.action)")].forEach((one, at) => { one.open = open[at] || false; });
    const here = from.querySelector("tr.here a, a:focus")?.getAttribute("href");
    const scrolled = [...from.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    from.replaceChildren(...to.childNodes);
    say();
    [...from.querySelectorAll(".scroll")].forEach((one, at) => { one.scrollLeft = scrolled[at] || 0; });
    const again = here && from.querySelector(`tbody a[href="${CSS.escape(here)}"]`);
    if (again) { again.closest("tr").classList.add("here"); again.focus({ preventScroll: true }); }
  };
  const refresh = async () => {
    if (asking || busy()) { due = true; return; }
    asking = true; due = false;
    try {
      const answer = await fetch(location.href, { headers: { "lombard-live": "1" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") { location.reload(); return; }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("fresh");
      if (fresh && !busy()) keep(part(), fresh); else due = true;
    } catch { /* The stream says when it is worth another try. */ } finally { asking = false; }
  };
  const open = () => {
    stream = new EventSource(part().dataset.live);
    stream.addEventListener("seen", () => say("Live"));
    stream.addEventListener("changed", () => { say("Live"); refresh(); });
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      // Signed out, or too many are watching: asking for the page again tells which.
      say("");
      setTimeout(async () => {
        const answer = await fetch(location.href, { method: "HEAD", headers: { "lombard-live": "1" }, redirect: "manual" }).catch(() => null);
        if (answer?.type === "opaqueredirect") location.reload();
        else if (!document.hidden) open();
      }, 5000);
    });
  };
  setInterval(() => { if (due) refresh(); }, 2000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { stream.close(); say(""); } else { open(); refresh(); }
  });
  open();
})();
