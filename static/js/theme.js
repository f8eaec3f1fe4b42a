// Runs before the first paint, so that a chosen theme never flashes. "auto", the default, leaves it to the system.
(() => {
  "use strict";
  let theme = null;
  try { theme = localStorage.getItem("theme"); } catch { /* storage may be forbidden: the system's theme it is */ }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
