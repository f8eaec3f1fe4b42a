// The editor of a sequence: keeps every form at the draft's present revision, says whether all is saved, tries again when the
// connection is back, offers both ways out of a conflict, and inserts variables. All changes are made by the server.
(() => {
  "use strict";
  const editor = document.getElementById("editor");
  if (!editor) return;
  const state = document.getElementById("save-state");
  const conflict = document.getElementById("conflict");
  const RETRY = 4000;
  let retry = 0;
  let lastField = null;
  let pending = null; // what the conflict interrupted: the form, and the button that was pressed in it
  let unsaved = false;

  const say = (text, tone = "") => {
    state.textContent = text;
    state.dataset.tone = tone;
  };
  const form = () => document.getElementById("step-form");
  const save = () => { if (form()) htmx.trigger(form(), "submit"); };
  const setRevision = (revision) => {
    for (const field of editor.querySelectorAll("input[name=revision]")) field.value = revision;
  };
  const clock = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

  // --- saved, unsaved, offline ---
  editor.addEventListener("input", (event) => {
    if (event.target.closest("#step-form")) {
      unsaved = true;
      say("Unsaved changes");
    }
  });
  editor.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig.verb === "get") return;
    clearTimeout(retry);
    unsaved = false;
    say("Saving…");
  });
  document.body.addEventListener("draft", (event) => {
    const { revision, saved } = event.detail;
    setRevision(revision);
    if (saved) say(unsaved ? "Unsaved changes" : `Saved ${clock()}`, "good");
    else {
      unsaved = true;
      say("Not saved: see what is marked", "bad");
    }
  });
  editor.addEventListener("htmx:sendError", (event) => {
    if (event.detail.requestConfig.verb === "get") return;
    event.stopPropagation(); // the page's own toast would come with every try
    unsaved = true;
    say("Offline: will try again", "bad");
    clearTimeout(retry);
    retry = setTimeout(save, RETRY);
  });
  addEventListener("online", () => { if (unsaved) save(); });
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  // --- changed elsewhere ---
  document.body.addEventListener("stale", (event) => {
    const { revision } = event.detail;
    conflict.hidden = false;
    conflict.dataset.revision = revision === null ? "" : String(revision);
    conflict.querySelector("[data-keep-mine]").hidden = revision === null;
    if (revision === null) {
      conflict.querySelector("[data-conflict-text]").textContent = "This draft was published or thrown away meanwhile; your last change is not saved.";
    }
    unsaved = true;
    say("Not saved", "bad");
    conflict.focus();
  });
  editor.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 409) return;
    event.stopPropagation(); // the notice above says it, and what to do
    pending = event.detail.requestConfig.elt;
  });
  conflict.addEventListener("click", (event) => {
    if (event.target.closest("[data-reload]")) unsaved = false;
    if (!event.target.closest("[data-keep-mine]")) return;
    setRevision(conflict.dataset.revision);
    conflict.hidden = true;
    if (pending && pending.isConnected && pending.id !== "step-form") pending.click();
    else save();
  });

  // --- a swap would lose what is typed and not saved: an action waits until it is ---
  let waiting = null;
  editor.addEventListener("htmx:confirm", (event) => {
    const ofForm = event.target.id === "step-form";
    // Leaving a field that is saved already, or that waits for an answer about the conflict: nothing to do.
    if (ofForm && (!unsaved || !conflict.hidden)) event.preventDefault();
    if (ofForm || !unsaved || !form()) return;
    event.preventDefault();
    waiting = { target: event.target, issue: event.detail.issueRequest };
    save();
  });
  editor.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "step-form" || !waiting) return;
    const { target, issue } = waiting;
    waiting = null;
    if (!event.detail.successful) return;
    // What was clicked may have been drawn anew with the saved text.
    if (target.isConnected) issue(true);
    else document.getElementById(target.id)?.click();
  });

  // --- variables and look-alikes ---
  editor.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-template]")) lastField = event.target;
  });
  const changed = (field) => {
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  editor.addEventListener("click", (event) => {
    const variable = event.target.closest("[data-variable]");
    if (variable) {
      const field = lastField && lastField.isConnected ? lastField : editor.querySelector("textarea[data-template]");
      if (!field) return;
      field.focus();
      field.setRangeText(`{{ ${variable.dataset.variable} }}`, field.selectionStart, field.selectionEnd, "end");
      variable.closest("details").open = false;
      changed(field);
    }
    const replace = event.target.closest("[data-replace]");
    if (replace) {
      const field = editor.querySelector("textarea[data-template]");
      if (!field) return;
      field.value = field.value.replaceAll(replace.dataset.replace, replace.dataset.with);
      changed(field);
    }
    if (event.target.closest("[aria-disabled=true]")) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  // --- keyboard: Alt and an arrow move the step that has the focus; a step opened or added takes it ---
  editor.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const step = event.target.closest("[data-step]");
    if (!step || event.target.matches("textarea, input, select")) return;
    event.preventDefault();
    const way = event.key === "ArrowUp" ? "up" : "down";
    document.getElementById(`${way}-${step.dataset.step}`)?.focus();
    document.getElementById(`${way}-${step.dataset.step}`)?.click();
  });
  let opened = new URLSearchParams(location.search).get("step");
  editor.addEventListener("htmx:afterSettle", (event) => {
    if (event.target !== editor) return;
    const step = editor.querySelector(".flow-step.open");
    if (step && step.dataset.step !== opened) {
      step.querySelector("#step-form :is(input:not([type=hidden]), textarea)")?.focus();
      step.scrollIntoView({ block: "nearest" });
    }
    opened = step ? step.dataset.step : null;
  });
})();
