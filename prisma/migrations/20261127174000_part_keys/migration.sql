-- Each three characters that follow one another in a text, as numbers: a text that contains another has all of the other's. The
-- account is part of each number, so that an index finds one account's texts among those of all. Two may be alike by chance.
CREATE FUNCTION "part_keys"("portal_id" BIGINT, "words" TEXT) RETURNS INTEGER[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_agg(hashtext(portal_id || ' ' || substr(words, at, 3))) FROM generate_series(1, length(words) - 2) AS at
$$;
