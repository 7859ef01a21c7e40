-- Searches: words of the recognised text in one compact index, and names of one or two letters in one of their own.
--
-- The indexes are made on the parents only. `rb-ocr migrate` builds them month by month, concurrently, when the steps
-- are done (store::long_indexes), and months made later have them from the beginning. Until a month is built,
-- searches by words and by such names are slow in it; nothing else waits.

-- Russian endings are taken off. No word is left out as too common: whoever asks for it is answered, and Kazakh has
-- words that are spelled like Russian ones of that kind.
CREATE TEXT SEARCH DICTIONARY rb_ocr_russian (TEMPLATE = snowball, Language = russian);
CREATE TEXT SEARCH CONFIGURATION rb_ocr_words (COPY = pg_catalog.russian);
ALTER TEXT SEARCH CONFIGURATION rb_ocr_words ALTER MAPPING FOR word, hword, hword_part WITH rb_ocr_russian;
ALTER TEXT SEARCH CONFIGURATION rb_ocr_words ALTER MAPPING FOR asciiword, asciihword, hword_asciipart WITH simple;

-- Signs that PostgreSQL would read as a part of an address, a path, a tag or a number part words here; ё is е.
CREATE FUNCTION words_apart(content text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(content, 'ёЁ./\@:-_+~&=%#<>', 'ее               ');

-- The words of a text. A tsvector holds a megabyte at most, so a text counts up to its 200,000th letter.
CREATE FUNCTION text_words(content text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 100000 SET search_path FROM CURRENT AS $$
BEGIN
    RETURN to_tsvector('rb_ocr_words', words_apart(left(content, 200000)));
END $$;

-- What the words of a text must hold for all that somebody looks for.
CREATE FUNCTION words_wanted(wanted text) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN plainto_tsquery('rb_ocr_words', words_apart(wanted));
END $$;

-- What stands around the words that were looked for: a hit begins with U+E000 and ends with U+E001. Signs that part
-- words are others while PostgreSQL looks at the text, and themselves again afterwards; signs of the text that would
-- be taken for one of ours are left out.
CREATE FUNCTION words_snippet(content text, wanted tsquery) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 100000 SET search_path FROM CURRENT AS $$
DECLARE
    signs text := './\@:-_+~&=%#<>';
    others text := U&'\E010\E011\E012\E013\E014\E015\E016\E017\E018\E019\E01A\E01B\E01C\E01D\E01E';
BEGIN
    RETURN translate(
        ts_headline('rb_ocr_words', translate(content, signs || others || U&'\E000\E001', others), wanted,
            U&'StartSel=\E000, StopSel=\E001, MaxFragments=2, MaxWords=18, MinWords=8, ShortWord=0, FragmentDelimiter=" … "'),
        others, signs);
END $$;

-- Words are looked for in a run, not in a page of it. Of a run with one page these are the page's own, and this is
-- null. Where there are more, the first has the words of all, and the others none.
ALTER TABLE ocr_pages ADD COLUMN run_words tsvector;

-- What the index holds of a page. It says that it is dear, as it is: a plan that reads text where the index knows the
-- answer must never look cheap.
CREATE FUNCTION page_words(run_words tsvector, content text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100000 SET search_path FROM CURRENT AS $$
BEGIN
    RETURN coalesce(run_words, text_words(content));
END $$;

-- Words of one and two letters in a normalised name; null where there are none, as in most.
CREATE FUNCTION short_name_words(fio_search text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF fio_search !~ '(^|[ .,()"''’ʼʹʺ`‐‑–-])[^ .,()"''’ʼʹʺ`‐‑–-]{1,2}([ .,()"''’ʼʹʺ`‐‑–-]|$)' THEN
        RETURN NULL;
    END IF;
    RETURN array(SELECT word FROM regexp_split_to_table(fio_search, '[ .,()"''’ʼʹʺ`‐‑–-]+') AS word
                 WHERE length(word) BETWEEN 1 AND 2);
END $$;

DROP INDEX ocr_pages_words;
CREATE INDEX ocr_pages_run_words ON ONLY ocr_pages USING gin (page_words(run_words, text_content))
    WITH (gin_pending_list_limit = 1024);
CREATE INDEX verification_runs_short_names ON ONLY verification_runs USING gin (short_name_words(fio_search))
    WHERE short_name_words(fio_search) IS NOT NULL;
