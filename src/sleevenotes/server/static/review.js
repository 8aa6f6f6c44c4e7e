// The review by keyboard: one letter does what the button or field that shows it does. Without this script all of it
// works by forms.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  const at = event.target;
  const typing = at.matches?.("input:not([type=checkbox]), textarea, select");
  if (typing) {
    if (event.key === "Escape") at.blur();
    return;
  }
  const wanted = event.key.length === 1 ? event.key.toLowerCase() : "";
  const found = wanted && document.querySelector(`main [data-key="${CSS.escape(wanted)}"]`);
  if (!found) return;
  event.preventDefault(); // or the letter would be typed into the field it leads to
  if (found.matches("input")) { found.focus(); found.select(); }
  else found.click();
});
