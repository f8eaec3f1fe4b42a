// The newest words of a handset stay in sight: at the start, and after new ones came in while the end was in view.
(() => {
  "use strict";
  const NEAR = 80;
  let follow = true;
  let top = 0;
  const toEnd = () => {
    const screen = document.querySelector("[data-scroll-end]");
    if (screen) screen.scrollTop = screen.scrollHeight;
  };
  document.body.addEventListener("htmx:beforeSwap", () => {
    const screen = document.querySelector("[data-scroll-end]");
    if (!screen) return;
    top = screen.scrollTop;
    follow = screen.scrollHeight - screen.scrollTop - screen.clientHeight < NEAR;
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    const screen = document.querySelector("[data-scroll-end]");
    if (follow) toEnd();
    else if (screen) screen.scrollTop = top;
  });
  toEnd();
})();
