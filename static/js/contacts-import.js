// The import wizard: a file dropped on its field, the upload's progress, and fields that only some answers need.
(() => {
  "use strict";
  const upload = document.querySelector("[data-upload]");
  if (upload) {
    const drop = upload.querySelector("[data-drop]");
    const input = drop.querySelector("input[type=file]");
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
    }
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
    });
    upload.addEventListener("submit", (event) => {
      const size = input.files[0]?.size || 0;
      if (size < 4_000_000) return; // there in a moment: an ordinary form does
      event.preventDefault();
      const bar = upload.querySelector("progress");
      const button = upload.querySelector("button.primary");
      const request = new XMLHttpRequest();
      bar.hidden = false;
      button.disabled = true;
      request.upload.addEventListener("progress", (moved) => { bar.value = (100 * moved.loaded) / moved.total; });
      request.addEventListener("load", () => {
        if (request.responseURL && request.status < 400) location.assign(request.responseURL);
        else showAnswer(request.responseText);
      });
      request.addEventListener("error", () => {
        button.disabled = false;
        bar.hidden = true;
        document.dispatchEvent(new CustomEvent("toast", { detail: { text: "The upload broke off. Try again.", kind: "bad" } }));
      });
      request.open("POST", upload.action || location.href);
      request.send(new FormData(upload));
    });
    const showAnswer = (text) => {
      const page = new DOMParser().parseFromString(text, "text/html");
      const answer = page.querySelector("[data-upload] [data-error-summary]");
      upload.querySelector("[data-error-summary]")?.remove();
      upload.querySelector("button.primary").disabled = false;
      upload.querySelector("progress").hidden = true;
      if (answer) {
        upload.prepend(document.adoptNode(answer));
        answer.focus();
      }
    };
  }

  const mapping = document.querySelector("[data-mapping]");
  if (mapping) {
    const show = () => {
      for (const select of mapping.querySelectorAll("[data-target]")) {
        select.parentElement.querySelector("[data-custom]").hidden = select.value !== "custom";
      }
      const basis = mapping.querySelector("[data-basis]:checked")?.value || "";
      for (const part of mapping.querySelectorAll("[data-for-basis]")) {
        part.hidden = !part.dataset.forBasis.split(" ").includes(basis);
      }
    };
    mapping.addEventListener("change", show);
    show();
  }
})();
