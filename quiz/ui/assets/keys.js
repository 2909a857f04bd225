// "?" presses the button that lists the shortcuts. Streamlit's own shortcuts know letters, digits and named keys only.
// Once a tab: the page that brings this is drawn many times.
if (!window.carouselKeys) {
  window.carouselKeys = true;
  const typing = (element) => element.isContentEditable || element.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (typing(event.target) || document.querySelector('[role="dialog"]')) return;
    document.querySelector(".st-key-shortcuts button")?.click();
  });
}
