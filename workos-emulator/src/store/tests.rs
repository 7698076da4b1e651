mod pages;
mod transactions;
