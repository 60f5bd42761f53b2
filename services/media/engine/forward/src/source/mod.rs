//! sources
mod binding;
mod clock;
