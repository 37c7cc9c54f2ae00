// Runs before the first paint, so that no page flashes in the other theme.
(function () {
  var kept = null;
  try {
    kept = localStorage.getItem("tensoe-theme");
  } catch (_) {
    // storage is barred: the system's theme it is
  }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
