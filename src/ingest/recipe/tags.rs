//! Tags, which begin with `!`: none means anything in a recipe, but those of well-known tools are named.

use saphyr_parser::Tag;

use super::problem::{Position, Problem};

/// Tags of other tools whose files recipes are copied from.
const TAGS: [(&str, &str); 16] = [
    ("Ref", "CloudFormation"),
    ("Sub", "CloudFormation"),
    ("GetAtt", "CloudFormation"),
    ("Join", "CloudFormation"),
    ("Select", "CloudFormation"),
    ("Split", "CloudFormation"),
    ("FindInMap", "CloudFormation"),
    ("ImportValue", "CloudFormation"),
    ("If", "CloudFormation"),
    ("reference", "GitLab"),
    ("vault", "Ansible"),
    ("unsafe", "Ansible"),
    ("secret", "Home Assistant"),
    ("env_var", "Home Assistant"),
    ("include", "other tools"),
    ("ENV", "other tools"),
];

/// Says that a tag means nothing here. Only those of well-known tools are repeated: others may be secrets without quotes.
pub(super) fn unknown(tag: &Tag, at: Position) -> Problem {
    let known = TAGS.iter().find(|(name, _)| tag.suffix == *name);
    let Some((name, tool)) = known else {
        let text = "A tag, which begins with “!”, means nothing in a recipe.";
        return Problem::at(at, text).hint("Leave it out, or quote a value that begins with “!”.");
    };
    let text = format!("“!{name}” is a tag of {tool} and means nothing in a recipe.");
    Problem::at(at, text).hint("Write the value itself, or “${NAME}” for a variable that holds it.")
}
