// What every page's frame does beyond links and forms: theme, menus, dialogs, toasts, shortcuts, and honest failures of htmx.
(() => {
  "use strict";

  // --- theme: buttons with data-set-theme="light | dark | auto" ---
  const root = document.documentElement;
  const chosenTheme = () => root.dataset.theme || "auto";
  const markTheme = () => {
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === chosenTheme()));
    }
  };
  const setTheme = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try { localStorage.setItem("theme", theme); } catch { /* storage may be forbidden: the choice lasts for this page */ }
    markTheme();
  };

  // --- toasts ---
  const DURATION = 6000;
  const dismissLater = (toast) => {
    let timer = setTimeout(() => toast.remove(), toast.querySelector("form") ? DURATION * 2 : DURATION);
    toast.addEventListener("pointerenter", () => clearTimeout(timer));
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("pointerleave", () => { timer = setTimeout(() => toast.remove(), DURATION); });
  };
  const showToast = ({ text, kind = "good", undo = "" }) => {
    const list = document.getElementById("toasts");
    const template = document.getElementById("toast-template");
    if (!list || !template || !text) return;
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.classList.add(kind);
    toast.querySelector("span").textContent = text;
    const form = toast.querySelector("form");
    if (undo) form.action = undo;
    else form.remove();
    list.append(toast);
    if (kind !== "bad") dismissLater(toast);
  };
  document.addEventListener("toast", (event) => showToast(event.detail));

  // --- clicks ---
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const theme = target.closest("[data-set-theme]");
    if (theme) setTheme(theme.dataset.setTheme);
    const dismiss = target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".toast, .notice")?.remove();
    const opener = target.closest("[data-open-dialog]");
    if (opener) document.getElementById(opener.dataset.openDialog)?.showModal();
    const closer = target.closest("[data-close-dialog]");
    if (closer) closer.closest("dialog")?.close();
    if (target instanceof HTMLDialogElement && target.open) {
      const box = target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside && event.detail > 0) target.close();
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
    const copy = target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(copy.dataset.copy).then(
        () => showToast({ text: "Copied." }),
        () => showToast({ text: "The browser did not allow copying. Select the text instead.", kind: "warn" }),
      );
    }
  });

  // A menu's list may fetch itself when it opens: hx-trigger="opened from:closest details".
  document.addEventListener("toggle", (event) => {
    if (event.target instanceof HTMLDetailsElement && event.target.open) event.target.dispatchEvent(new CustomEvent("opened"));
  }, true);

  // A form with data-confirm asks first; typed words guard what cannot be undone.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset?.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  }, true);

  // A second click while the first is on its way does not send a plain form twice; htmx sees to its own.
  const sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (sent.has(event.target)) event.preventDefault();
    sent.add(event.target);
    setTimeout(() => sent.delete(event.target), 4000); // the way may have been stopped
  });

  // Controls with data-submit send their form when they change (filters, role menus); without script the button beside them does.
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-submit]")) event.target.form?.requestSubmit();
  });

  // --- keyboard ---
  const typing = (element) => element.closest?.("input, textarea, select, [contenteditable], dialog[open]");
  let leader = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open]");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary")?.focus();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      document.getElementById("shortcuts")?.showModal();
    } else if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select?.();
      }
    } else if (event.key === "g") {
      leader = Date.now();
    } else if (leader && Date.now() - leader < 1500) {
      leader = 0;
      document.querySelector(`[data-jump="${CSS.escape(event.key)}"]`)?.click();
    } else {
      leader = 0;
    }
  });

  // --- htmx: a failure is said, a lapsed session leads to the log-in page instead of landing inside this one ---
  const REASONS = {
    403: "Your role does not allow this.",
    404: "This no longer exists. Reload the page.",
    409: "Somebody changed this meanwhile. Reload the page.",
    413: "This is too large.",
    429: "Too many requests. Wait a moment and try again.",
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr?.responseURL && new URL(xhr.responseURL).pathname.startsWith("/accounts/login/")) {
      event.detail.shouldSwap = false;
      window.location.reload();
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    showToast({ text: REASONS[status] || `That did not work (error ${status}). Nothing was changed.`, kind: "bad" });
  });
  document.addEventListener("htmx:sendError", () => {
    showToast({ text: "Omnify cannot be reached. Check the connection and try again.", kind: "bad" });
  });

  // Focus goes to the summary of errors, then each entry leads to its field.
  const focusErrors = (within) => within.querySelector?.("[data-error-summary]")?.focus();
  document.addEventListener("htmx:afterSettle", (event) => focusErrors(event.detail.elt));

  markTheme();
  focusErrors(document);
  for (const toast of document.querySelectorAll("#toasts > .toast:not(.bad, .error)")) dismissLater(toast);
})();
