//! What is done with the installed program.

mod commands;
mod life;
