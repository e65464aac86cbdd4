"""Telegram's Bot API: the only room that imports aiogram. It carries words and knows no betting."""
