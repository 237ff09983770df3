// The switch between the system's colours, light and dark.

const choices = ["system", "light", "dark"];

const words = { system: "same as system", light: "light", dark: "dark" };

function tell(theme) {
  const button = document.getElementById("theme-switch");
  button.querySelector(".theme-word").textContent = words[theme];
  button.title = `Appearance: ${words[theme]}`;
}

function chosen() {
  return document.documentElement.dataset.theme ?? "system";
}

function choose(theme) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
}

export function themeSwitch() {
  const button = document.getElementById("theme-switch");
  tell(chosen());
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = choices[(choices.indexOf(chosen()) + 1) % choices.length];
    choose(next);
    tell(next);
  });
}

// The same choice as a list, on the page of one's own account.
export function themeChoice() {
  const section = document.getElementById("look");
  if (!section) return;
  section.hidden = false;
  for (const radio of section.querySelectorAll("input")) {
    radio.checked = radio.value === chosen();
    radio.addEventListener("change", () => {
      choose(radio.value);
      tell(radio.value);
    });
  }
}
