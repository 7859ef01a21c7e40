//! Journeys of documents through the real api, worker and command line, on real PostgreSQL, RabbitMQ and
//! Tesseract. Only the model, the remote OCR and the caller's endpoint are stand-ins.

mod ageing;
mod artifacts;
mod bad_input;
mod budgets;
mod callback_targets;
mod callbacks;
mod cancelling;
mod checks;
mod clients;
mod command_line;
mod documents;
mod erasing;
mod following;
mod retries;
mod submitting;
mod traces;
