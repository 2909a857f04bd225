// "?" presses the button that lists the shortcuts: Streamlit's own shortcuts know letters, digits and named keys only.
// And a tab that is left says whose it was. Once a tab: the page that brings this is drawn many times.
if (!window.carouselKeys) {
  window.carouselKeys = true;
  const typing = (element) => element.isContentEditable || element.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (typing(event.target) || document.querySelector('[role="dialog"]')) return;
    document.querySelector(".st-key-shortcuts button")?.click();
  });
  // Whose tab was left last: several people may practise in several tabs of one browser, and a refresh makes nobody somebody else.
  const leave = () => {
    const whose = document.querySelector('[class*="st-key-practising_"]')?.className.match(/st-key-practising_(\d+)/)?.[1];
    if (whose) document.cookie = `carousel_profile=${whose}; path=/; SameSite=Lax`;
  };
  document.addEventListener("visibilitychange", leave);
  window.addEventListener("pagehide", leave);
}
