// A choice that needs more: the field for it shows only where the choice is made.

export function shows(root) {
  for (const choice of root.querySelectorAll("input[data-shows]")) {
    const form = choice.form;
    const field = document.getElementById(choice.dataset.shows);
    // What somebody filled in is never hidden: the server says that it would not be kept.
    const show = () => { field.hidden = !choice.checked && !field.querySelector("textarea, input")?.value.trim(); };
    form.addEventListener("change", show);
    form.addEventListener("picked", show);
    show();
  }
}
