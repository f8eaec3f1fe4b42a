// The People tab: select all, and how many are selected. Without it, every box is ticked by hand.
(() => {
  "use strict";
  const tell = (form) => {
    const boxes = [...form.querySelectorAll("input[name=enrollment]")];
    const chosen = boxes.filter((box) => box.checked).length;
    const all = form.querySelector("[data-select-all]");
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    form.querySelector("[data-selected]").textContent = chosen ? `${chosen} selected` : "";
    for (const button of form.querySelectorAll(".bulk button[name=action]")) button.disabled = chosen === 0;
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("[data-selectable]");
    if (!form) return;
    if (event.target.matches("[data-select-all]")) {
      for (const box of form.querySelectorAll("input[name=enrollment]")) box.checked = event.target.checked;
    }
    tell(form);
  });
  for (const form of document.querySelectorAll("[data-selectable]")) tell(form);
})();
