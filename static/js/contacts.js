// The contact list: choosing rows; URLs without empty filters.
(() => {
  "use strict";
  const count = (form) => {
    const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
    const chosen = boxes.filter((box) => box.checked).length;
    const all = form.querySelector("[data-select-all]");
    if (all) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    const words = form.querySelector("[data-selected]");
    if (words) words.textContent = chosen ? `${chosen} selected` : "";
    for (const button of form.querySelectorAll("[data-needs-selection]")) button.disabled = chosen === 0;
  };
  const countAll = () => { for (const form of document.querySelectorAll("[data-selectable]")) count(form); };

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("[data-selectable]");
    if (!form) return;
    if (event.target.matches("[data-select-all]")) {
      for (const box of form.querySelectorAll("tbody input[type=checkbox]")) box.checked = event.target.checked;
    }
    count(form);
  });
  // Enter in the tag field adds the tag; without rows chosen it does nothing.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("[data-selectable] input[name=tag]")) return;
    event.preventDefault();
    event.target.form.querySelector("button[value=tag]:not(:disabled)")?.click();
  });
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.matches?.("[data-tidy-query]")) return;
    const { parameters } = event.detail;
    for (const [name, value] of Object.entries(parameters)) {
      if (value === "" || (name === "sort" && value === "newest")) delete parameters[name];
    }
  });
  document.addEventListener("htmx:afterSettle", countAll);
  countAll();
})();
